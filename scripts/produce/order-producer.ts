import { kafkajs } from "@perkstream/program";
import type { Kafka } from "kafkajs";

export interface OutgoingRecord {
  readonly key: string;
  readonly value: Buffer;
  /** The record's timestamp in ms. */
  readonly timestamp: number;
}

/** Where a record lies. */
export interface Position {
  readonly partition: number;
  readonly offset: number;
}

export interface OrderProducer {
  /** Resolves with the place of each record when every replica has them. Rejects when the brokers could not be reached after some retries. */
  send(records: readonly OutgoingRecord[]): Promise<Position[]>;
  /** The partition to which a key belongs. */
  partitionOf(key: string): number;
  /** Where this producer's last record of each partition lies, by partition. */
  positions(): Position[];
  close(): Promise<void>;
}

/**
 * Sends to a topic with acks of all replicas, without repeats of its own (idempotent), each key to the partition that Kafka's
 * Java client would choose. The partition is chosen here, since the broker's answer tells offsets of whole partitions only.
 */
export async function openOrderProducer(kafka: Kafka, topic: string): Promise<OrderProducer> {
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const partitionMetadata = await partitionsOf(kafka, topic);
  const choose = kafkajs.Partitioners.DefaultPartitioner();
  const partitionOf = (key: string) => choose({ topic, partitionMetadata, message: { key, value: null } });
  const positions = new Map<number, number>();
  return {
    send: async (records) => {
      const messages = records.map(({ key, value, timestamp }) => ({
        key,
        value,
        partition: partitionOf(key),
        timestamp: String(timestamp),
      }));
      const next = new Map<number, number>();
      for (const { partition, baseOffset } of await producer.send({ topic, messages, acks: -1 })) next.set(partition, Number(baseOffset));
      return messages.map(({ partition }) => {
        const offset = next.get(partition) ?? 0;
        next.set(partition, offset + 1);
        positions.set(partition, offset);
        return { partition, offset };
      });
    },
    partitionOf,
    positions: () => [...positions].map(([partition, offset]) => ({ partition, offset })).sort((a, b) => a.partition - b.partition),
    close: () => producer.disconnect(),
  };
}

async function partitionsOf(kafka: Kafka, topic: string) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions ?? [];
  } finally {
    await admin.disconnect();
  }
}
