import type { OrderEvent } from "@perkstream/contracts";
import { type OrderDecoder, type OrderEntry, scopeOf } from "@perkstream/orders";
import type { CustomerKey } from "./customer-report.ts";
import { type Fields, shownAt } from "./difference.ts";
import type { ReplayStep } from "./sequence.ts";
import type { OrderRow, RefundRow } from "./stored.ts";

/** Schema ids that the registry was asked for. */
const prepared = new WeakMap<OrderDecoder, Set<number>>();

/** Decodes stored bytes; text says why they are no order event. */
export async function decodeEvent(decoder: OrderDecoder, payload: Buffer): Promise<OrderEvent | string> {
  const id = payload.length >= 5 ? payload.readUInt32BE(1) : -1;
  let known = prepared.get(decoder);
  if (known === undefined) prepared.set(decoder, (known = new Set()));
  if (!known.has(id)) {
    await decoder.prepare([payload]);
    known.add(id);
  }
  const decoded = decoder.decode(payload);
  return decoded.ok ? decoded.event : decoded.message;
}

type EventStep = Exclude<ReplayStep<OrderRow, RefundRow>, { kind: "applied" }>;

/** A stored event as the program read it, out of its turn if it was read once more. */
export function entryOf(event: OrderEvent, { row, redrive }: EventStep): OrderEntry {
  const key = Buffer.from(`${event.merchantId}:${event.customerId}`);
  const record = { partition: row.part, offset: Number(row.off), timestamp: row.record_at.getTime(), key, value: row.payload, headers: {} };
  return { record, scope: scopeOf(event, key), event, ...(redrive === null ? {} : { place: Number(redrive.off) }) };
}

/** What the columns of a row must be by its event, and what they are; null when they are the same. */
export function columnsOf(
  event: OrderEvent,
  step: EventStep,
  customer: CustomerKey,
): { readonly expected: Fields; readonly found: Fields } | null {
  const { row } = step;
  const refundId = step.kind === "refund" ? step.row.refund_id : null;
  const type = refundId === null ? "OrderPlaced" : refundId === "" ? "OrderCancelled" : "OrderRefunded";
  const isSame =
    event.type === type &&
    event.merchantId === customer.merchantId &&
    event.customerId === customer.customerId &&
    event.orderId === row.order_id &&
    event.occurredAt === row.occurred_at.getTime() &&
    (event.type !== "OrderRefunded" || event.refundId === refundId);
  if (isSame) return null;
  return {
    expected: {
      type: event.type,
      merchant: event.merchantId,
      customer: event.customerId,
      order: event.orderId,
      occurredAt: shownAt(event.occurredAt),
      refund: event.type === "OrderRefunded" ? event.refundId : event.type === "OrderCancelled" ? "" : null,
    },
    found: {
      type,
      merchant: customer.merchantId,
      customer: customer.customerId,
      order: row.order_id,
      occurredAt: shownAt(row.occurred_at.getTime()),
      refund: refundId,
    },
  };
}
