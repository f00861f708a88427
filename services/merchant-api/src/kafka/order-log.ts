import { type OrderEvent, topics } from "@perkstream/contracts";
import { type CrashPoint, kafkajs } from "@perkstream/program";
import type { Kafka, Message, Producer, RecordMetadata } from "kafkajs";
import { OutageError } from "../errors.ts";
import { limits } from "../http/limits.ts";

/** Where an event lies in orders.v1. */
export interface Position {
  readonly partition: number;
  readonly offset: number;
}

/** The log that the API writes to. */
export interface OrderLog {
  /**
   * Appends events in this order with this record timestamp (ms); answers when Kafka has acknowledged all of them.
   * Repeats are harmless: the programs drop them by content.
   * @throws OutageError or a KafkaJS error; then none, some or all may have been appended
   */
  append(events: readonly OrderEvent[], timestamp: number): Promise<Position[]>;
  /** The offset after the last record, per partition. */
  ends(topic: string): Promise<Map<number, number>>;
  close(): Promise<void>;
}

/** The partition of a customer: murmur2 of the key as in Kafka's Java client. */
export function createPartitioner(partitions: number): (merchantId: string, customerId: string) => number {
  const partitioner = kafkajs.Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  return (merchantId, customerId) =>
    partitioner({ topic: topics.orders, partitionMetadata, message: { key: Buffer.from(`${merchantId}:${customerId}`), value: null } });
}

export interface OrderLogOptions {
  readonly kafka: Kafka;
  readonly partitions: number;
  readonly encode: (event: OrderEvent) => Buffer;
  readonly crash?: CrashPoint | undefined;
}

/** Connects; throws when no broker answers. */
export async function openOrderLog({ kafka, partitions, encode, crash }: OrderLogOptions): Promise<OrderLog> {
  const partitionOf = createPartitioner(partitions);
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    retry: { retries: 2 },
  });
  const admin = kafka.admin({ retry: { retries: 2 } });
  await Promise.all([producer.connect(), admin.connect()]);
  return {
    async append(events, timestamp) {
      const messages = events.map((event) => messageOf(event, partitionOf(event.merchantId, event.customerId), encode(event), timestamp));
      const positions = await append(producer, messages);
      crash?.("produce");
      return positions;
    },
    async ends(topic) {
      const offsets = await inTime(admin.fetchTopicOffsets(topic));
      return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
    },
    async close() {
      await Promise.all([producer.disconnect(), admin.disconnect()]);
    },
  };
}

type OrderMessage = Message & { readonly partition: number };

function messageOf(event: OrderEvent, partition: number, value: Buffer, timestamp: number): OrderMessage {
  return { key: `${event.merchantId}:${event.customerId}`, value, partition, timestamp: String(timestamp) };
}

async function append(producer: Producer, messages: OrderMessage[]): Promise<Position[]> {
  const acknowledged = await inTime(producer.send({ topic: topics.orders, acks: -1, messages }));
  const next = new Map(acknowledged.map((metadata) => [metadata.partition, baseOffset(metadata)]));
  return messages.map(({ partition }) => {
    const offset = next.get(partition);
    if (offset === undefined) throw new OutageError(`Kafka did not acknowledge partition ${partition}`);
    next.set(partition, offset + 1);
    return { partition, offset };
  });
}

function baseOffset({ baseOffset: text, partition, errorCode }: RecordMetadata): number {
  if (errorCode !== 0 || text === undefined)
    throw new OutageError(`Kafka refused the append to partition ${partition} with code ${errorCode}`);
  return Number(text);
}

/** kafkajs has no bound of its own on a whole call with its retries. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new OutageError("Kafka did not answer in time")), limits.produceTimeoutMs);
  });
  work.catch(() => {}); // after the bound nobody waits for it
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
