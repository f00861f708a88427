import type { OrderEvent } from "@perkstream/contracts";
import type { Position } from "../produce/order-producer.ts";
import type { StreamItem } from "../simulate/order-stream.ts";

/** What was sent of an order and acknowledged. */
export interface SentOrder {
  readonly merchantId: string;
  readonly customerId: string;
  readonly orderId: string;
  /** Of each line; undefined until the order itself was acknowledged (a refund may come before it). */
  netMinor: readonly bigint[] | undefined;
  readonly refunds: Map<string, readonly { readonly line: number; readonly netMinor: bigint }[]>;
  isCancelled: boolean;
}

/** A record that must become a dead letter in every program. */
export interface SentBroken {
  readonly reason: string;
  /** Where the acknowledged ones lie; one that was sent again may lie in further places. */
  readonly positions: Position[];
}

/** Everything that the API or the producer has acknowledged: what the product answers for. */
export class Ledger {
  readonly orders = new Map<string, SentOrder>();
  /** By key and bytes of the record. */
  readonly broken = new Map<string, SentBroken>();
  readonly acknowledged = { api: 0, producer: 0 };

  acknowledge(via: "api" | "producer", event: OrderEvent): void {
    this.acknowledged[via] += 1;
    const order = this.#order(event);
    if (event.type === "OrderPlaced") order.netMinor = event.lines.map(({ netMinor }) => netMinor);
    else if (event.type === "OrderRefunded") order.refunds.set(event.refundId, event.lines);
    else order.isCancelled = true;
  }

  acknowledgeBroken(item: StreamItem, value: Buffer, position: Position): void {
    this.acknowledged.producer += 1;
    this.sendBroken(item, value).positions.push(position);
  }

  /** Before it is sent: it counts as sent although nobody may ever learn that it was. */
  sendBroken(item: StreamItem, value: Buffer): SentBroken {
    const id = brokenId(item.key, value);
    const known = this.broken.get(id) ?? { reason: reasonOf(item), positions: [] };
    this.broken.set(id, known);
    return known;
  }

  #order({ merchantId, customerId, orderId }: OrderEvent): SentOrder {
    const id = `${merchantId}/${orderId}`;
    const known = this.orders.get(id) ?? {
      merchantId,
      customerId,
      orderId,
      netMinor: undefined,
      refunds: new Map(),
      isCancelled: false,
    };
    this.orders.set(id, known);
    return known;
  }
}

export function brokenId(key: string, value: Buffer): string {
  return `${key}\n${value.toString("base64")}`;
}

/** What is left of each line; nothing while the order itself was not acknowledged. */
export function remainingOf({ netMinor, refunds, isCancelled }: SentOrder): bigint[] {
  if (netMinor === undefined) return [];
  const remaining = netMinor.map((amount) => (isCancelled ? 0n : amount));
  if (isCancelled) return remaining;
  for (const lines of refunds.values()) for (const { line, netMinor: taken } of lines) remaining[line] = (remaining[line] ?? 0n) - taken;
  return remaining;
}

const minuteMs = 60_000;

/** By the rules that all programs share (packages/orders): see scripts/simulate/broken.ts for how records are broken. */
function reasonOf({ event, damage, key }: StreamItem): string {
  if (damage !== null || key !== `${event.merchantId}:${event.customerId}`) return "invalid_event";
  if (event.type === "OrderPlaced" && ["XTS", "XXX"].includes(event.currency)) return "currency_mismatch";
  if (event.occurredAt > Date.now() + 30 * minuteMs) return "occurred_in_future";
  return "invalid_event";
}
