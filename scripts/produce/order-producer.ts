import { kafkajs } from "@perkstream/program";
import type { Kafka } from "kafkajs";

export interface OutgoingRecord {
  readonly key: string;
  readonly value: Buffer;
  /** The record's timestamp in ms. */
  readonly timestamp: number;
}

/** The last record that was acknowledged in a partition. */
export interface Position {
  readonly partition: number;
  readonly offset: number;
}

export interface OrderProducer {
  /** Resolves when every replica has the records. Rejects when the brokers could not be reached after some retries. */
  send(records: readonly OutgoingRecord[]): Promise<void>;
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
  const positions = new Map<number, number>();
  return {
    send: async (records) => {
      const counts = new Map<number, number>();
      const messages = records.map(({ key, value, timestamp }) => {
        const partition = choose({ topic, partitionMetadata, message: { key, value } });
        counts.set(partition, (counts.get(partition) ?? 0) + 1);
        return { key, value, partition, timestamp: String(timestamp) };
      });
      for (const { partition, baseOffset } of await producer.send({ topic, messages, acks: -1 })) {
        positions.set(partition, Number(baseOffset) + (counts.get(partition) ?? 1) - 1);
      }
    },
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
