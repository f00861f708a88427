import type { OrderEvent } from "@perkstream/contracts";
import type { Rejection } from "@perkstream/program";

/** How far `occurredAt` may lie after the record's timestamp: clocks of shops differ. */
export const MAX_AHEAD_MS = 5 * 60_000;

/**
 * `unknown_merchant`, `currency_mismatch`, `occurred_in_future`, in this order; null when the event can be judged.
 * `merchant` is as of the event's offset; only orders have a currency.
 */
export function preconditions(event: OrderEvent, recordAt: number, merchant: { readonly currency: string } | undefined): Rejection | null {
  if (merchant === undefined) return { reason: "unknown_merchant", message: `merchantId ${event.merchantId} is not known` };
  if (event.type === "OrderPlaced" && event.currency !== merchant.currency) {
    return { reason: "currency_mismatch", message: `currency is ${event.currency}, the merchant's is ${merchant.currency}` };
  }
  if (event.occurredAt > recordAt + MAX_AHEAD_MS) {
    return { reason: "occurred_in_future", message: "occurredAt is more than 5 minutes after the record's timestamp" };
  }
  return null;
}

/**
 * The as-of time of an event (ms): never the machine's clock, so that reading again decides the same.
 * `lastAsOf` is that customer's last one in this program, undefined for a new customer.
 */
export function asOf(recordAt: number, occurredAt: number, lastAsOf: number | undefined): number {
  return Math.max(recordAt, occurredAt, lastAsOf ?? 0);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text can be a merchant's id: a UUID in its canonical form. Others name no merchant. */
export function isMerchantId(text: string): boolean {
  return UUID.test(text);
}

/** The merchant that a record belongs to: what its value names, else what its key names, else null. */
export function scopeOf(event: { readonly merchantId: string } | null, key: Buffer | null): string | null {
  if (event !== null && isMerchantId(event.merchantId)) return event.merchantId;
  if (key === null || key.length < 36) return null;
  const named = key.toString("latin1", 0, 36);
  return isMerchantId(named) && (key.length === 36 || key[36] === 0x3a) ? named : null;
}
