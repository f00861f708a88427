import type { EventInput, Merchant, PlacedInput, RefundedInput, RefundLine } from "../story/types.ts";
import { sum } from "./shares.ts";
import { instantOf, type Instant } from "./time.ts";

/** An event as it lies in the log. */
export interface LoggedEvent {
  readonly event: EventInput;
  /** The record's timestamp. */
  readonly at: Instant;
  readonly occurredAt: Instant;
}

export interface Refund {
  /** Null for a cancellation. */
  readonly refundId: string | null;
  readonly content: string;
  readonly lines: readonly RefundLine[];
}

export interface Order {
  readonly orderId: string;
  readonly customerId: string;
  /** Of the record that placed it. */
  readonly offset: number;
  readonly occurredAt: Instant;
  readonly content: string;
  readonly event: PlacedInput;
  readonly refunds: Refund[];
}

export type DeadLetter =
  | "invalid_event"
  | "unknown_merchant"
  | "currency_mismatch"
  | "occurred_in_future"
  | "order_conflict"
  | "customer_mismatch"
  | "refund_conflict"
  | "refund_exceeds_order";

const futureLimitMs = 5 * 60_000;
const largestAmount = Number.MAX_SAFE_INTEGER;
const longestId = 64;
const longestText = 256;
const mostLines = 2000;
const firstInstant = instantOf("1970-01-01T00:00:00Z");
const endInstant = instantOf("2200-01-01T00:00:00Z");

/** What is wrong with an event whatever came before it, or null. The order of the checks is that of the specification. */
export function faultOf(logged: LoggedEvent, key: string | undefined, merchant: Merchant): DeadLetter | null {
  const { event, at, occurredAt } = logged;
  const merchantId = event.merchantId ?? merchant.merchantId;
  if (key !== undefined && key !== `${merchantId}:${event.customerId}`) return "invalid_event";
  if (!isValid(event, occurredAt)) return "invalid_event";
  if (merchantId !== merchant.merchantId) return "unknown_merchant";
  if (event.type === "OrderPlaced" && (event.currency ?? merchant.currency) !== merchant.currency) return "currency_mismatch";
  if (occurredAt > at + futureLimitMs) return "occurred_in_future";
  return null;
}

function isValid(event: EventInput, occurredAt: Instant): boolean {
  if (!isId(event.customerId) || !isId(event.orderId)) return false;
  if (occurredAt < firstInstant || occurredAt >= endInstant) return false;
  if (event.type === "OrderCancelled") return isText(event.reason ?? "");
  if (event.lines.length === 0 || event.lines.length > mostLines) return false;
  if (event.type === "OrderRefunded")
    return isId(event.refundId) && event.lines.every(({ netMinor }) => netMinor >= 1 && netMinor <= largestAmount);
  const paid = event.paidWithCashbackMinor ?? 0;
  return (
    event.lines.every(
      ({ netMinor, quantity = 1, sku = "", category }) =>
        netMinor >= 0 && netMinor <= largestAmount && quantity >= 1 && isText(sku) && isText(category ?? ""),
    ) &&
    total(event.lines) <= largestAmount &&
    paid >= 0 &&
    BigInt(paid) <= total(event.lines)
  );
}

function total(lines: readonly { readonly netMinor: number }[]): bigint {
  return sum(lines.map(({ netMinor }) => BigInt(netMinor)));
}

function isId(text: string): boolean {
  return text !== "" && isText(text, longestId);
}

/** Characters are code points. */
function isText(text: string, longest = longestText): boolean {
  return Array.from(text).length <= longest && !text.includes("\0") && text.isWellFormed();
}

/** Everything that the decoded record says, with defaults written out: equal content is an equal string. */
export function contentOf({ event, occurredAt }: LoggedEvent, merchant: Merchant): string {
  const head = [event.type, event.customerId, event.orderId, occurredAt];
  if (event.type === "OrderCancelled") return JSON.stringify([...head, event.reason ?? null]);
  if (event.type === "OrderRefunded")
    return JSON.stringify([...head, event.refundId, event.lines.map(({ line, netMinor }) => [line, netMinor])]);
  const lines = event.lines.map(({ sku = "sku", category = null, quantity = 1, netMinor }) => [sku, category, quantity, netMinor]);
  return JSON.stringify([...head, event.currency ?? merchant.currency, lines, event.paidWithCashbackMinor ?? 0]);
}

/** What is left of every line: its net less all refunds. */
export function remaining(order: Order): bigint[] {
  return order.event.lines.map((line, position) => BigInt(line.netMinor) - refundedOf(order, position));
}

export function netOf(order: Order): bigint {
  return total(order.event.lines);
}

export function remainingNet(order: Order): bigint {
  return sum(remaining(order));
}

export function isCancelled(order: Order): boolean {
  return order.refunds.some(({ refundId }) => refundId === null);
}

function refundedOf(order: Order, position: number): bigint {
  return sum(order.refunds.flatMap(({ lines }) => lines.filter(({ line }) => line === position).map(({ netMinor }) => BigInt(netMinor))));
}

export type RefundVerdict = { readonly rejected: DeadLetter } | { readonly repeated: true } | { readonly refund: Refund };

/** What a refund or cancellation of a known order means; nothing is changed. */
export function judgeRefund(order: Order, logged: LoggedEvent, merchant: Merchant): RefundVerdict {
  const { event } = logged;
  if (event.type === "OrderPlaced") throw new Error("Not a refund");
  if (event.customerId !== order.customerId) return { rejected: "customer_mismatch" };
  const content = contentOf(logged, merchant);
  if (event.type === "OrderCancelled") {
    if (isCancelled(order)) return { repeated: true };
    const lines = remaining(order).map((left, line) => ({ line, netMinor: Number(left) }));
    return { refund: { refundId: null, content, lines: lines.filter(({ netMinor }) => netMinor > 0) } };
  }
  const same = order.refunds.find(({ refundId }) => refundId === event.refundId);
  if (same !== undefined) return same.content === content ? { repeated: true } : { rejected: "refund_conflict" };
  return fits(order, event) ? { refund: { refundId: event.refundId, content, lines: event.lines } } : { rejected: "refund_exceeds_order" };
}

function fits(order: Order, event: RefundedInput): boolean {
  const left = remaining(order);
  for (const { line, netMinor } of event.lines) {
    if (left[line] === undefined) return false;
    left[line] -= BigInt(netMinor);
  }
  return left.every((amount) => amount >= 0n);
}
