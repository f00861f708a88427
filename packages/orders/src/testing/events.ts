import type { OrderCancelled, OrderEvent, OrderPlaced, OrderRefunded } from "@perkstream/contracts";
import type { SourceRecord } from "@perkstream/program";
import type { OrderDecoder } from "../decode.ts";
import type { OrderEntry } from "../handle.ts";

export const MERCHANT = "4f981b0b-accf-4eb7-8018-7cd651c7e907";
/** 2025-01-10T12:00:00Z */
export const NOON = Date.UTC(2025, 0, 10, 12);

export function placed(over: Partial<Omit<OrderPlaced, "type" | "lines">> & { netMinor?: readonly number[] } = {}): OrderPlaced {
  const { netMinor = [1000], ...rest } = over;
  return {
    type: "OrderPlaced",
    merchantId: MERCHANT,
    customerId: "c1",
    orderId: "o1",
    occurredAt: NOON,
    currency: "USD",
    lines: netMinor.map((amount) => ({ sku: "sku", category: null, quantity: 1, netMinor: BigInt(amount) })),
    paidWithCashbackMinor: 0n,
    ...rest,
  };
}

export function refunded(
  refundId: string,
  lines: readonly (readonly [number, number])[],
  over: Partial<Omit<OrderRefunded, "type">> = {},
): OrderRefunded {
  return {
    type: "OrderRefunded",
    merchantId: MERCHANT,
    customerId: "c1",
    orderId: "o1",
    refundId,
    occurredAt: NOON,
    lines: lines.map(([line, amount]) => ({ line, netMinor: BigInt(amount) })),
    ...over,
  };
}

export function cancelled(over: Partial<Omit<OrderCancelled, "type">> = {}): OrderCancelled {
  return { type: "OrderCancelled", merchantId: MERCHANT, customerId: "c1", orderId: "o1", occurredAt: NOON, reason: null, ...over };
}

/** The bytes of the tests' own encoding: JSON, amounts as decimal text. */
export function bytesOf(event: OrderEvent): Buffer {
  return Buffer.from(JSON.stringify(event, (_name, value: unknown) => (typeof value === "bigint" ? `${value}n` : value)));
}

/** Decodes what `bytesOf` made. */
export const jsonDecoder: OrderDecoder = {
  prepare: async () => {},
  decode(value) {
    if (value === null || value[0] !== 0x7b) return { ok: false, message: "not JSON" };
    const revive = (_name: string, inner: unknown) =>
      typeof inner === "string" && /^-?\d+n$/.test(inner) ? BigInt(inner.slice(0, -1)) : inner;
    return { ok: true, event: JSON.parse(value.toString(), revive) as OrderEvent };
  },
};

export function entryOf(event: OrderEvent, at: Partial<SourceRecord> = {}): OrderEntry {
  const key = Buffer.from(`${event.merchantId}:${event.customerId}`);
  return {
    record: { partition: 0, offset: 0, timestamp: event.occurredAt, key, value: bytesOf(event), headers: {}, ...at },
    scope: event.merchantId,
    event,
  };
}
