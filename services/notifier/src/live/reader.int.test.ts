import { randomBytes } from "node:crypto";
import { createKafka, kafkajs } from "@perkstream/program";
import { ensureTopics } from "@perkstream/stack";
import type { Admin, Kafka, Producer } from "kafkajs";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { LiveReader, type LiveReaderOptions } from "./reader.ts";

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let kafka: Kafka;
let admin: Admin;
let producer: Producer;

beforeAll(async () => {
  kafka = createKafka({ brokers: inject("stack").kafkaBrokers.split(","), clientId: "live-test", log: quiet });
  admin = kafka.admin();
  producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await Promise.all([admin.connect(), producer.connect()]);
});

afterAll(() => Promise.all([admin.disconnect(), producer.disconnect()]));

async function newTopic(records: number): Promise<string> {
  const topic = `live.${randomBytes(4).toString("hex")}`;
  await ensureTopics(inject("stack").kafkaBrokers, {
    partitions: 1,
    development: true,
    topics: { orders: topic, notifications: topic },
  });
  await send(topic, 0, records);
  return topic;
}

async function send(topic: string, from: number, to: number): Promise<void> {
  const messages = Array.from({ length: to - from }, (_, i) => ({ partition: 0, key: "k", value: String(from + i) }));
  if (messages.length > 0) await producer.send({ topic, acks: -1, messages });
}

function open(topic: string, more: Partial<LiveReaderOptions> & { start: number }) {
  const seen: number[] = [];
  const lost: number[] = [];
  const groupId = `live-test.${randomBytes(4).toString("hex")}`;
  const reader = new LiveReader({
    kafka,
    topic,
    groupId,
    log: quiet,
    positions: async () => new Map([[0, { nextOffset: more.start, sources: [] }]]),
    prepare: async () => {},
    onRecord: (_, offset) => void seen.push(offset),
    onLost: (partition) => void lost.push(partition),
    ...more,
  });
  return { reader, seen, lost, groupId };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test("follows from the inbox's position, knows the end, and deletes its group at a stop", async () => {
  const topic = await newTopic(10);
  const { reader, seen, groupId } = open(topic, { start: 4 });
  await reader.start();
  expect(reader.problem()).toBeNull();
  await reader.positions.passed(0, 9, 30_000);
  await send(topic, 10, 13);
  expect(await reader.positions.passed(0, 12, 30_000)).toBe(true);
  expect(seen).toEqual(range(4, 13));
  expect(await reader.end(0)).toBe(13);
  await reader.stop();
  expect((await admin.listGroups()).groups.map((group) => group.groupId)).not.toContain(groupId);
});

test("goes on at its own position after a rebalance of its group", async () => {
  const topic = await newTopic(5);
  const { reader, seen, groupId } = open(topic, { start: 0 });
  await reader.start();
  await reader.positions.passed(0, 4, 30_000);
  const intruder = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  await intruder.connect();
  await intruder.subscribe({ topic });
  const joined = new Promise((resolve) => intruder.on(intruder.events.GROUP_JOIN, resolve));
  await intruder.run({ eachMessage: async () => {} });
  await joined;
  await intruder.disconnect();
  await send(topic, 5, 8);
  expect(await reader.positions.passed(0, 7, 30_000)).toBe(true);
  expect(seen).toEqual(range(0, 8));
  await reader.stop();
});

test("what fails to prepare is given out once, later", async () => {
  const topic = await newTopic(3);
  let failures = 2;
  const prepare = async () => {
    if (failures-- > 0) throw new Error("registry away");
  };
  const { reader, seen } = open(topic, { start: 0, prepare });
  await reader.start();
  expect(await reader.positions.passed(0, 2, 30_000)).toBe(true);
  expect(seen).toEqual([0, 1, 2]);
  await reader.stop();
});

test("a position that the log does not hold is told as lost, and the end of the log is gone on from", async () => {
  const topic = await newTopic(10);
  const { reader, seen, lost } = open(topic, { start: 50, kafka: withOldOffsets(kafka) });
  await reader.start();
  await expect.poll(() => lost).toEqual([0]);
  await send(topic, 10, 12);
  expect(await reader.positions.passed(0, 11, 30_000)).toBe(true);
  expect(seen).toEqual([10, 11]);
  await reader.stop();
});

test("a topic that is made anew is noticed, although its fetches begin where the first one did", async () => {
  const topic = await newTopic(3);
  const taken: (() => Promise<void>)[] = [];
  const { reader, seen, lost } = open(topic, { start: 0, kafka: withBatches(kafka, (repeat) => void taken.push(repeat)) });
  await reader.start();
  expect(await reader.positions.passed(0, 2, 30_000)).toBe(true);
  expect(lost).toEqual([]);
  await expect.poll(() => taken.length).toBeGreaterThan(0);
  await taken[0]!();
  expect(lost).toEqual([0]);
  await expect.poll(() => seen).toEqual([0, 1, 2, 0, 1, 2]);
  await reader.stop();
});

/** Every batch that was taken can be handed over a second time: what kafkajs does after it has jumped to the earliest record. */
function withBatches(real: Kafka, onTaken: (repeat: () => Promise<void>) => void): Kafka {
  const consumer: Kafka["consumer"] = (config) => {
    const one = real.consumer(config);
    const run: typeof one.run = (given) => {
      const eachBatch = given?.eachBatch;
      if (eachBatch === undefined) throw new Error("the reader takes batches");
      return one.run({
        ...given,
        eachBatch: async (payload) => {
          await eachBatch(payload);
          onTaken(() => eachBatch(payload));
        },
      });
    };
    return { ...one, run };
  };
  return { admin: (config) => real.admin(config), consumer, producer: (config) => real.producer(config), logger: () => real.logger() };
}

/** The broker's first answer is of a log that was longer: before it was made anew, or lost its unreplicated end. */
function withOldOffsets(real: Kafka): Kafka {
  let isFirst = true;
  const admin: Kafka["admin"] = (config) => {
    const one = real.admin(config);
    const fetchTopicOffsets: Admin["fetchTopicOffsets"] = async (topic) => {
      const offsets = await one.fetchTopicOffsets(topic);
      if (!isFirst) return offsets;
      isFirst = false;
      return offsets.map(({ partition, offset, low }) => ({ partition, offset, low, high: "100" }));
    };
    return { ...one, fetchTopicOffsets };
  };
  return { admin, consumer: (config) => real.consumer(config), producer: (config) => real.producer(config), logger: () => real.logger() };
}
