import { topics } from "@perkstream/contracts";
import type { Kafka } from "kafkajs";
import { openOrderProducer, type OrderProducer, type OutgoingRecord, type Position } from "../produce/order-producer.ts";

const sendLimitMs = 60_000;
const closeLimitMs = 5_000;

export interface ProducerChannel {
  /** Where the records lie, or null when they were not acknowledged: none, some or all of them may be in the log. */
  send(records: readonly OutgoingRecord[]): Promise<Position[] | null>;
  close(): Promise<void>;
}

/**
 * Orders through a Kafka producer of the kind that a shop would run. After a failed send the producer is replaced, as kafkajs
 * would give the sequence numbers of that send to the next one, which the broker then takes for a repeat (docs/protocols.md, 5).
 */
export function openProducerChannel(kafka: Kafka): ProducerChannel {
  let producer: OrderProducer | undefined;
  const drop = async () => {
    const old = producer;
    producer = undefined;
    await within(closeLimitMs, old?.close() ?? Promise.resolve()).catch(() => {});
  };
  return {
    async send(records) {
      try {
        producer ??= await within(sendLimitMs, openOrderProducer(kafka, topics.orders));
        return await within(sendLimitMs, producer.send(records));
      } catch {
        await drop();
        return null;
      }
    },
    close: drop,
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done in ${ms} ms`)), ms);
  });
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
