import type { OrderEncoder, OrderEvent } from "@perkstream/contracts";
import type { OrderProducer, OutgoingRecord } from "../produce/order-producer.ts";
import { keyOf, orderStream, type OrderStream, type StreamMerchant } from "../simulate/order-stream.ts";

export interface LoadOptions {
  readonly seed: number;
  readonly customers: number;
  readonly refunds: number;
  readonly duplicates: number;
  /** Share of all orders that one customer places besides. */
  readonly hot?: number;
}

/**
 * Orders of `customers` customers in all, drawn by Zipf's law over all merchants: customer n belongs to merchant n modulo
 * their number, so that the busiest customer has the same share however many merchants there are.
 */
export function benchStream(merchants: readonly StreamMerchant[], options: LoadOptions): { next(now: number): OrderEvent } {
  const first = merchants[0]!;
  const stream: OrderStream = orderStream({ ...options, merchants: [first] });
  const { hot = 0 } = options;
  return {
    next(now) {
      const { event } = stream.next(now);
      // By the order's number, so that its refunds and repeats have the same customer.
      const order = Number(event.orderId.slice(event.orderId.lastIndexOf("-") + 1));
      if (hot > 0 && order % Math.round(1 / hot) === 0) return { ...event, merchantId: first.merchantId, customerId: "hot" };
      const number = Number(event.customerId.slice("customer-".length));
      return { ...event, merchantId: merchants[number % merchants.length]!.merchantId };
    },
  };
}

const BATCH = 2_000;
const MS_BETWEEN_ORDERS = 100;

/** Puts `count` events into the topic, the last one dated now. */
export async function preload(
  stream: { next(now: number): OrderEvent },
  encoder: OrderEncoder,
  producer: OrderProducer,
  count: number,
  onProgress: (sent: number) => void,
): Promise<void> {
  const from = Date.now() - count * MS_BETWEEN_ORDERS;
  for (let sent = 0; sent < count;) {
    const records: OutgoingRecord[] = [];
    for (; records.length < BATCH && sent < count; sent++) {
      const timestamp = from + sent * MS_BETWEEN_ORDERS;
      const event = stream.next(timestamp);
      records.push({ key: keyOf(event), value: encoder.encode(event), timestamp });
    }
    await producer.send(records);
    onProgress(sent);
  }
}
