import { randomUUID } from "node:crypto";
import { connectRegistry, openOrderDecoder, type OrderPlaced, schemas } from "@perkstream/contracts";
import { createKafka, ensureProgress, kafkajs, type RunningProgram, startProgram } from "@perkstream/program";
import { tcpProxy, type Proxy } from "@perkstream/program/testing";
import { Registry } from "@perkstream/service";
import { ensureTopics } from "@perkstream/stack";
import { createTierProgram } from "@perkstream/tier";
import type { Producer } from "kafkajs";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { startApi, type TestApi, type TestMerchant } from "./testing/api.ts";

const metrics = new Registry();
const topic = `orders-${randomUUID()}`;
const partitions = 2;

let api: TestApi;
let shop: TestMerchant;
let toRegistry: Proxy;
let producer: Producer;
let host: RunningProgram;

beforeAll(async () => {
  const { kafkaBrokers, registryUrl } = inject("stack");
  api = await startApi(inject("stack"));
  shop = await api.merchant({ clock: "real" });
  const url = new URL(registryUrl);
  toRegistry = await tcpProxy({ host: url.hostname, port: Number(url.port) });
  url.port = String(toRegistry.port);
  const kafka = createKafka({ brokers: kafkaBrokers.split(","), clientId: topic });
  const [noticeTopic, deadLetterTopic] = [`notices-${topic}`, `dead-letters-${topic}`];
  const topics = { orders: topic, notifications: noticeTopic };
  await ensureTopics(kafkaBrokers, { partitions, development: true, topics, others: [deadLetterTopic] });
  await ensureProgress(api.sql, { program: "tier", topic }, partitions);
  producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const decoder = openOrderDecoder(connectRegistry(url.href.replace(/\/$/, "")));
  const program = { ...createTierProgram({ decoder, encoder: api.deps.records.notifications, groupId: topic }), topic };
  const sql = api.pool("perkstream_tier");
  host = startProgram({ program, sql, kafka, noticeTopic, deadLetterTopic, log: api.deps.log, metrics });
}, 120_000);
afterAll(async () => {
  await host?.stop();
  await producer?.disconnect();
  await api?.stop();
  await toRegistry?.close();
});

let sent = 0;

/** An order of a partition's only customer, said to be of another schema if need be. */
async function send(partition: number, schemaId?: number): Promise<void> {
  const customerId = `customer-${partition}`;
  const now = Date.now();
  const order: OrderPlaced = {
    type: "OrderPlaced",
    merchantId: shop.merchantId,
    customerId,
    orderId: `o-${(sent += 1)}`,
    occurredAt: now,
    currency: "EUR",
    lines: [{ sku: "a", category: null, quantity: 1, netMinor: 100n }],
    paidWithCashbackMinor: 0n,
  };
  const value = api.deps.records.orders.encode(order);
  if (schemaId !== undefined) value.writeInt32BE(schemaId, 1);
  await producer.send({ topic, messages: [{ partition, key: `${shop.merchantId}:${customerId}`, value, timestamp: String(now) }] });
}

/** How many records of each partition. */
async function handled(): Promise<number[]> {
  const rows = await api.sql<{ next_off: bigint }[]>`SELECT next_off FROM tier.progress WHERE topic = ${topic} ORDER BY part`;
  return rows.map((row) => Number(row.next_off));
}

/** How often the program met an outage. */
async function outages(): Promise<number> {
  const found = /^perkstream_retries_total\{[^}]*kind="outage"[^}]*\} (\d+)/m.exec(await metrics.metrics());
  return Number(found?.[1] ?? 0);
}

/** The same schema with other words about it has an id of its own that nobody has asked for. */
async function freshSchema(): Promise<number> {
  const known = schemas.find(({ subject }) => subject.endsWith("OrderPlaced"));
  const schema = JSON.stringify({ ...(JSON.parse(known?.schema ?? "{}") as object), doc: topic });
  const response = await fetch(`${inject("stack").registryUrl}/subjects/${topic}/versions`, {
    method: "POST",
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    body: JSON.stringify({ schema }),
  });
  return ((await response.json()) as { id: number }).id;
}

test("a program goes on without the registry; a record with a schema it has not seen waits with its partition, and is no dead letter", async () => {
  const waiting = { timeout: 30_000 };
  await send(0);
  await expect.poll(handled, waiting).toEqual([1, 0]);
  toRegistry.cut();
  await send(0);
  await expect.poll(handled, waiting).toEqual([2, 0]);

  const before = await outages();
  await send(0, await freshSchema());
  await send(0);
  await send(1);
  await expect.poll(outages, waiting).toBeGreaterThan(before + 3);
  await send(1);
  await expect.poll(handled, waiting).toEqual([2, 2]);
  expect(await api.sql`SELECT * FROM tier.dead_letter`).toHaveLength(0);

  toRegistry.mend();
  await expect.poll(handled, waiting).toEqual([4, 2]);
  expect(await api.sql`SELECT * FROM tier.dead_letter`).toHaveLength(0);
  expect((await shop.call("GET", "/v1/dev/counts")).body).toMatchObject({ tier: { events: 6, duplicates: 0 } });
}, 120_000);
