import type { OrderEncoder, OrderEvent } from "@perkstream/contracts";
import type { OrderProducer } from "../produce/order-producer.ts";

const batchSize = 500;
/** With a speed, what is due is sent this often. */
const tickMs = 50;

export interface SendOptions {
  readonly encoder: OrderEncoder;
  readonly producer: OrderProducer;
  /** Added to every time, in ms. */
  readonly shiftMs: number;
  /** How many times faster than it happened; Infinity for as fast as the brokers take it. */
  readonly speed: number;
  onProgress(acked: number): void;
}

/** Sends the events in their order with their own times as record timestamps; resolves when all are acknowledged. */
export async function sendEvents(
  events: readonly OrderEvent[],
  { encoder, producer, shiftMs, speed, onProgress }: SendOptions,
): Promise<void> {
  const startedAt = performance.now();
  const first = events[0]?.occurredAt ?? 0;
  let sent = 0;
  while (sent < events.length) {
    const due = first + (performance.now() - startedAt) * speed;
    const batch = events.slice(sent, sent + batchSize).filter(({ occurredAt }) => speed === Infinity || occurredAt <= due);
    if (batch.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, tickMs));
      continue;
    }
    await producer.send(
      batch.map((event) => {
        const shifted = { ...event, occurredAt: event.occurredAt + shiftMs };
        return { key: `${event.merchantId}:${event.customerId}`, value: encoder.encode(shifted), timestamp: shifted.occurredAt };
      }),
    );
    sent += batch.length;
    onProgress(sent);
  }
}
