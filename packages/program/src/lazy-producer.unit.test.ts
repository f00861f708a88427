import type { ICustomPartitioner, Kafka, Message, RecordMetadata } from "kafkajs";
import { expect, it } from "vitest";
import { LazyProducer } from "./lazy-producer.ts";

/** A kafkajs whose producer asks where records belong, as the real one does, and answers for `answered` only. */
function kafkaThatAnswersFor(answered: number[]): Kafka {
  const producer = ({ createPartitioner }: { createPartitioner: ICustomPartitioner }) => {
    const partitionOf = createPartitioner();
    return {
      connect: async () => {},
      disconnect: async () => {},
      send: async ({ topic, messages }: { topic: string; messages: Message[] }) => {
        for (const message of messages) partitionOf({ topic, partitionMetadata: [], message });
        return answered.map((partition): RecordMetadata => ({ topicName: topic, partition, errorCode: 0 }));
      },
    };
  };
  return { producer } as unknown as Kafka;
}

const messages = [0, 1, 1].map((partition) => ({ partition, value: "v" }));

it("takes for sent what was answered for", async () => {
  await new LazyProducer(kafkaThatAnswersFor([1, 0])).send({ topic: "t", messages });
});

it("rejects when kafkajs has resolved without an answer for a partition, and begins anew with the next send", async () => {
  const producer = new LazyProducer(kafkaThatAnswersFor([0]));
  await expect(producer.send({ topic: "t", messages })).rejects.toThrow("no broker has answered for partitions 1 of t");
  await producer.send({ topic: "t", messages: messages.slice(0, 1) });
});
