import { fixedRegistry, openJsonDecoder, openNotificationEncoder, type NotificationEncoder } from "@perkstream/contracts";
import { createInboxProgram, customerKey, migrations as inboxMigrations, type Customer } from "@perkstream/inbox";
import { openSql, type Sql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { createKafka, ensureProgress, kafkajs, startProgram, type RunningProgram } from "@perkstream/program";
import { Registry } from "@perkstream/service";
import { ensureTopics } from "@perkstream/stack";
import { SignJWT } from "jose";
import type { Kafka, Producer } from "kafkajs";
import { randomBytes, randomUUID } from "node:crypto";
import { migrations } from "../cluster/migrations.ts";
import { role } from "../cluster/rights.ts";
import type { Log } from "../log.ts";
import { type Notifier, type NotifierOptions, startNotifier } from "../notifier.ts";
import { openTokens } from "../tokens.ts";

export const secret = "a secret of the tests, long enough for HS256";
const partitions = 3;
const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface Rig {
  /** With all rights; the notifier and the inbox have those of their role. */
  readonly sql: Sql;
  readonly databaseUrl: string;
  readonly kafka: Kafka;
  readonly topic: string;
  start(options?: Partial<NotifierOptions>): Promise<Notifier>;
  startInbox(): Promise<RunningProgram>;
  /** Produces TierChanged notifications, in order. `source` adds the outbox's header. */
  notify(
    customer: Customer,
    count?: number,
    more?: { source?: (i: number) => string; reason?: string; ids?: readonly string[] },
  ): Promise<string[]>;
  partitionOf(customer: Customer): number;
  close(): Promise<void>;
}

/** Real Kafka and Postgres, topics and a database of its own, and the inbox program running. */
export async function openRig(stack: { postgresUrl: string; kafkaBrokers: string }): Promise<Rig> {
  const name = randomBytes(4).toString("hex");
  const names = { orders: `orders.${name}`, notifications: `notifications.${name}`, deadLetters: `dead-letters.${name}` };
  const database: TestDatabase = await testDatabase(stack.postgresUrl, [inboxMigrations, migrations]);
  const sql = openSql(database.url, { max: 2, applicationName: "notifier-owner" });
  const own = openSql(database.url, { max: 8, applicationName: "notifier-test", role });
  const kafka = createKafka({ brokers: stack.kafkaBrokers.split(","), clientId: "notifier-test", log: quiet });
  const { deadLetters, ...topics } = names;
  await ensureTopics(stack.kafkaBrokers, { partitions, development: true, topics, others: [deadLetters] });
  await ensureProgress(sql, { program: "inbox", topic: names.notifications }, partitions);
  const producer: Producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const encoder = await openNotificationEncoder(fixedRegistry());
  const stops: (() => Promise<void>)[] = [];
  const choose = kafkajs.Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
  }));

  return {
    sql,
    databaseUrl: database.url,
    kafka,
    topic: names.notifications,
    async start(options = {}) {
      const notifier = await startNotifier({
        sql: own,
        kafka,
        registry: fixedRegistry(),
        tokens: openTokens({ secret }),
        log: quiet,
        metrics: new Registry(),
        host: "127.0.0.1",
        port: 0,
        development: true,
        allowedOrigins: ["https://shop.example"],
        drainMs: 100,
        topics: names,
        ...options,
        // A device of the tests does not come again by itself, as a client does.
        limits: { handOverMs: 30_000, helloMs: 30_000, heldBytes: 64 * 1_024 * 1_024, ...options.limits },
      });
      let stopped: Promise<void> | undefined;
      const stop = () => (stopped ??= notifier.stop());
      stops.push(stop);
      await until("the notifier is ready", async () => (await fetch(`http://127.0.0.1:${notifier.port}/readyz`)).status === 200);
      return { port: notifier.port, stop };
    },
    async startInbox() {
      const program = createInboxProgram({
        reader: openJsonDecoder(fixedRegistry()),
        now: Date.now,
        topic: names.notifications,
        groupId: `inbox.${name}`,
      });
      const running = startProgram({
        program,
        sql: own,
        kafka,
        noticeTopic: names.notifications,
        deadLetterTopic: names.deadLetters,
        log: quiet,
        metrics: new Registry(),
        settings: { lanes: 1 },
      });
      stops.push(() => running.stop());
      await until("the inbox has its partitions", () => Promise.resolve(running.ready));
      return running;
    },
    async notify(customer, count = 1, { source, reason = "order", ids = Array.from({ length: count }, () => randomUUID()) } = {}) {
      const messages = ids.map((id, i) => ({
        key: customerKey(customer),
        value: tierChanged(encoder, customer, id, reason),
        ...(source === undefined ? {} : { headers: { source: `${source(i)}/${id}` } }),
      }));
      await producer.send({ topic: names.notifications, acks: -1, messages });
      return [...ids];
    },
    partitionOf: (customer) =>
      choose({ topic: names.notifications, partitionMetadata, message: { key: Buffer.from(customerKey(customer)), value: null } }),
    async close() {
      for (const stop of stops.toReversed()) await stop();
      await producer.disconnect();
      await Promise.all([sql, own].map((pool) => pool.end({ timeout: 5 })));
      await database.drop();
    },
  };
}

function tierChanged(encoder: NotificationEncoder, customer: Customer, id: string, reason: string): Buffer {
  return encoder.encode("TierChanged", {
    id,
    merchantId: customer.merchant,
    customerId: customer.customerId,
    occurredAt: Date.parse("2026-01-02T03:04:05.678Z"),
    orderId: "o1",
    fromTier: null,
    toTier: "Silver",
    direction: "PROMOTED",
    reason,
    nextTier: "Gold",
    toNextTierMinor: 12_300n,
  });
}

export function newCustomer(): Customer {
  return { merchant: randomUUID(), customerId: `c-${randomBytes(4).toString("hex")}` };
}

export interface TokenOptions {
  readonly audience?: string;
  readonly ttlSeconds?: number;
  readonly secret?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

export function customerToken(customer: Customer, options: TokenOptions = {}): Promise<string> {
  const { audience = "perkstream-customer", ttlSeconds = 900, claims = {} } = options;
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({ merchant: customer.merchant, sub: customer.customerId, ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(now + ttlSeconds)
    .sign(new TextEncoder().encode(options.secret ?? secret));
}

export function merchantToken(merchant: string, role: string): Promise<string> {
  return customerToken({ merchant, customerId: role }, { audience: "perkstream-merchant", claims: { role } });
}

/** Before that a hand-over may end with 1013, which a client would meet by coming again. */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not in 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
