import { connectRegistry, openOrderEncoder, topics } from "@perkstream/contracts";
import type { Kafka } from "kafkajs";
import { openOrderProducer } from "../produce/order-producer.ts";
import { orderEvent, type OutgoingEvent, type StoryMerchant } from "./defaults.ts";
import type { Position } from "./positions.ts";

/** orders.v1: bytes, keys and timestamps as the story wants them. */
export interface OrderLog {
  /** Resolves with the place of each record, in order, once Kafka has acknowledged them. */
  send(records: readonly OutgoingEvent[], merchant: StoryMerchant & { readonly merchantId: string }): Promise<Position[]>;
  partitionOf(key: string): number;
  close(): Promise<void>;
}

/** Rejects when the registry does not have the schemas, or a broker cannot be reached. */
export async function openOrderLog(kafka: Kafka, registryUrl: string): Promise<OrderLog> {
  const encoder = await openOrderEncoder(connectRegistry(registryUrl));
  const producer = await openOrderProducer(kafka, topics.orders);
  return {
    send(records, merchant) {
      const messages = records.map(({ event, raw, key, at }) => ({
        key,
        value: event === null ? (raw ?? Buffer.alloc(0)) : encoder.encode(orderEvent(event, at, merchant)),
        timestamp: Date.parse(at),
      }));
      return producer.send(messages);
    },
    partitionOf: producer.partitionOf,
    close: () => producer.close(),
  };
}
