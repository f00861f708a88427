import { randomBytes } from "node:crypto";
import { createKafka, kafkajs } from "../kafkajs.ts";
import { openSql, type Sql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { Registry } from "@perkstream/service";
import { ensureTopics } from "@perkstream/stack";
import type { Admin, Kafka, KafkaMessage, Producer } from "kafkajs";
import { ensureProgress } from "../progress.ts";
import { startProgram, type HostOptions, type RunningProgram } from "../host.ts";
import { probeMigrations, probeProgram, type ProbeEvent, type ProbeWork } from "./probe.ts";

export const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Awaits a condition; fails with `what` after the bound. */
export async function until(what: string, condition: () => Promise<boolean> | boolean, boundMs = 60_000): Promise<void> {
  const end = performance.now() + boundMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not in ${boundMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export interface Bed {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly producer: Producer;
  readonly database: TestDatabase;
  readonly sql: Sql;
  readonly topic: string;
  readonly noticeTopic: string;
  readonly deadLetterTopic: string;
  readonly partitions: number;
  send(events: readonly (ProbeEvent | string)[], key?: (event: ProbeEvent | string, i: number) => string): Promise<void>;
  start(options?: Partial<HostOptions<ProbeEvent, ProbeWork>> & { url?: string }): RunningProgram;
  /** Records of the topic, per partition. */
  logEnds(): Promise<number[]>;
  /** Waits until the progress of all partitions is at the end of the log. */
  caughtUp(boundMs?: number): Promise<void>;
  totals(sql?: Sql): Promise<Record<string, number>>;
  /** Values of all notices, by partition and offset. */
  notices(): Promise<{ partition: number; value: string; source: string }[]>;
  /** All dead letters that were published. */
  deadLetters(): Promise<{ key: Buffer | null; value: Buffer | null; headers: Record<string, string> }[]>;
  close(): Promise<void>;
}

/** Topics and a database of their own, and hosts of the probe program on them. */
export async function testBed(stack: { postgresUrl: string; kafkaBrokers: string }, partitions = 4): Promise<Bed> {
  const kafka = createKafka({ brokers: stack.kafkaBrokers.split(","), clientId: "test" });
  const admin = kafka.admin();
  await admin.connect();
  const suffix = randomBytes(4).toString("hex");
  const topic = `probe-${suffix}`;
  const noticeTopic = `probe-notices-${suffix}`;
  const deadLetterTopic = `probe-dead-${suffix}`;
  await ensureTopics(stack.kafkaBrokers, {
    partitions,
    development: true,
    topics: { orders: topic, notifications: noticeTopic },
    others: [deadLetterTopic],
  });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const database = await testDatabase(stack.postgresUrl, [probeMigrations]);
  const sql = openSql(database.url, { max: 10, applicationName: "probe-test" });
  await ensureProgress(sql, { program: "probe", topic }, partitions);
  const hosts: RunningProgram[] = [];
  const pools: Sql[] = [];

  const bed: Bed = {
    kafka,
    admin,
    producer,
    database,
    sql,
    topic,
    noticeTopic,
    deadLetterTopic,
    partitions,
    async send(events, key = (_event, i) => `key-${i % 10}`) {
      const messages = events.map((event, i) => ({ key: key(event, i), value: typeof event === "string" ? event : JSON.stringify(event) }));
      await producer.send({ topic, acks: -1, messages });
    },
    start({ url, ...options } = {}) {
      const pool = openSql(url ?? database.url, { max: 6, applicationName: "probe-host", role: "perkstream_probe" });
      pools.push(pool);
      const host = startProgram<ProbeEvent, ProbeWork>({
        program: probeProgram(topic),
        sql: pool,
        kafka: createKafka({ brokers: stack.kafkaBrokers.split(","), clientId: "host" }),
        noticeTopic,
        deadLetterTopic,
        log: silent,
        metrics: new Registry(),
        ...options,
        settings: { sessionTimeoutMs: 30_000, chunkSize: 100, ...options.settings },
      });
      hosts.push(host);
      return host;
    },
    async logEnds() {
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
    },
    async caughtUp(boundMs) {
      const ends = await bed.logEnds();
      await until(
        "progress at the end of the log",
        async () => {
          const rows = await sql<{ part: number; next_off: bigint }[]>`SELECT part, next_off FROM probe.progress WHERE topic = ${topic}`;
          return rows.every((row) => Number(row.next_off) >= ends[row.part]!);
        },
        boundMs,
      );
    },
    async totals(from = sql) {
      const rows = await from<{ key: string; amount: bigint }[]>`SELECT key, amount FROM probe.total ORDER BY key`;
      return Object.fromEntries(rows.map((row) => [row.key, Number(row.amount)]));
    },
    async notices() {
      const records = await readAll(kafka, admin, noticeTopic);
      return records.map(({ partition, message }) => ({
        partition,
        value: String(message.value),
        source: String(message.headers?.["source"]),
      }));
    },
    async deadLetters() {
      const records = await readAll(kafka, admin, deadLetterTopic);
      return records.map(({ message: { key, value, headers = {} } }) => ({
        key,
        value,
        headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)])),
      }));
    },
    async close() {
      await Promise.all(hosts.map((host) => host.stop()));
      await Promise.all([...pools, sql].map((pool) => pool.end({ timeout: 2 })));
      await producer.disconnect();
      await admin.deleteTopics({ topics: [topic, noticeTopic, deadLetterTopic] }).catch(() => {});
      await admin.disconnect();
      await database.drop();
    },
  };
  return bed;
}

async function readAll(kafka: Kafka, admin: Admin, topic: string): Promise<{ partition: number; message: KafkaMessage }[]> {
  const ends = await admin.fetchTopicOffsets(topic);
  const expected = ends.reduce((sum, { high }) => sum + Number(high), 0);
  const found: { partition: number; message: KafkaMessage }[] = [];
  if (expected === 0) return found;
  const consumer = kafka.consumer({ groupId: `${topic}-reader-${randomBytes(3).toString("hex")}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => void found.push({ partition, message }),
  });
  await until(`${expected} records read`, () => found.length >= expected);
  await consumer.disconnect();
  return found;
}
