import { randomUUID } from "node:crypto";
import { zstdCompressSync } from "node:zlib";
import kafkajs, { type ITopicConfig, Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { ensureTopics } from "./topics.ts";

const kafka = new Kafka({ brokers: [inject("stack").kafkaBrokers], logLevel: logLevel.NOTHING });
const admin = kafka.admin();
beforeAll(() => admin.connect());
afterAll(() => admin.disconnect());

function names() {
  const suffix = randomUUID().slice(0, 8);
  return { orders: `orders-${suffix}`, notifications: `notifications-${suffix}` };
}

async function settingOf(topic: string, name: string): Promise<string | undefined> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: [name] }],
  });
  return resources[0]?.configEntries[0]?.configValue;
}

async function createTopics(topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ waitForLeaders: false, topics });
  await expect.poll(() => admin.listTopics()).toEqual(expect.arrayContaining(topics.map(({ topic }) => topic)));
}

test("makes both topics, and a second call changes nothing", async () => {
  const topics = names();
  const options = { partitions: 3, development: true, topics, others: [`dead-letters-${topics.orders}`] };
  expect(await ensureTopics(inject("stack").kafkaBrokers, options)).toEqual({ partitions: 3 });
  expect(await ensureTopics(inject("stack").kafkaBrokers, { ...options, partitions: 5 })).toEqual({ partitions: 3 });
  for (const name of [topics.notifications, ...options.others]) expect(await settingOf(name, "retention.ms")).toBe("-1");
  expect(await settingOf(topics.orders, "message.timestamp.after.max.ms")).toBe("9223372036854775807");
});

test("adds what is missing to an existing topic and keeps what somebody else set", async () => {
  const topics = names();
  await createTopics([{ topic: topics.orders, numPartitions: 2, configEntries: [{ name: "max.message.bytes", value: "65536" }] }]);
  await ensureTopics(inject("stack").kafkaBrokers, { partitions: 2, development: true, topics });
  expect(await settingOf(topics.orders, "retention.ms")).toBe("-1");
  expect(await settingOf(topics.orders, "max.message.bytes")).toBe("65536");
});

test("topics of different numbers of partitions are refused by name", async () => {
  const topics = names();
  await createTopics([
    { topic: topics.orders, numPartitions: 2 },
    { topic: topics.notifications, numPartitions: 4 },
  ]);
  await expect(ensureTopics(inject("stack").kafkaBrokers, { partitions: 2, development: true, topics })).rejects.toMatchObject({
    code: "partitions_differ",
    retryable: false,
    message: expect.stringContaining(`${topics.notifications} has 4 partitions and ${topics.orders} has 2`),
  });
});

test("stores what a producer has compressed so that every client can read it", async () => {
  const topics = names();
  await ensureTopics(inject("stack").kafkaBrokers, { partitions: 1, development: false, topics });
  const { CompressionTypes, CompressionCodecs } = kafkajs;
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: ({ buffer }: { buffer: Buffer }) => Promise.resolve(zstdCompressSync(buffer)),
    decompress: () => Promise.reject(new Error("this client does not know zstd")),
  });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  const consumer = kafka.consumer({ groupId: topics.orders });
  await Promise.all([producer.connect(), consumer.connect()]);
  await producer.send({ topic: topics.orders, compression: CompressionTypes.ZSTD, messages: [{ value: "x".repeat(1_000) }] });
  await consumer.subscribe({ topics: [topics.orders], fromBeginning: true });
  const read = Promise.withResolvers<string>();
  await consumer.run({ eachMessage: async ({ message }) => read.resolve(String(message.value)) });
  expect(await read.promise).toBe("x".repeat(1_000));
  await Promise.all([producer.disconnect(), consumer.disconnect()]);
});

test("takes a record of next year", async () => {
  const topics = names();
  await ensureTopics(inject("stack").kafkaBrokers, { partitions: 1, development: true, topics });
  const producer = kafka.producer();
  await producer.connect();
  const [answer] = await producer.send({
    topic: topics.orders,
    messages: [{ value: "x", timestamp: String(Date.now() + 365 * 86_400_000) }],
  });
  await producer.disconnect();
  expect(answer?.errorCode).toBe(0);
});
