import { randomUUID } from "node:crypto";
import { connect, createServer } from "node:net";
import { connectRegistry, openOrderDecoder, type OrderPlaced } from "@perkstream/contracts";
import { createKafka, deadLetterTopic, ensureProgress, startProgram } from "@perkstream/program";
import { Registry } from "@perkstream/service";
import { ensureTopics, freePorts } from "@perkstream/stack";
import { createTierProgram } from "@perkstream/tier";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { TestMerchant } from "./testing/api.ts";
import { startSystem, type TestSystem } from "./testing/system.ts";

let api: TestSystem;
let shop: TestMerchant;
const now = Date.UTC(2025, 0, 1);

beforeAll(async () => {
  api = await startSystem(inject("stack"));
  shop = await api.merchant();
}, 120_000);
afterAll(() => api?.stop());

let orders = 0;
const order = (): OrderPlaced => ({
  type: "OrderPlaced",
  merchantId: shop.merchantId,
  customerId: "ada",
  orderId: `o${++orders}`,
  occurredAt: now,
  currency: "EUR",
  lines: [{ sku: "mug", category: null, quantity: 1, netMinor: 100n }],
  paidWithCashbackMinor: 0n,
});
const encode = (event: OrderPlaced) => api.deps.records.orders.encode(event);
const line = (change: Partial<OrderPlaced["lines"][number]>) => [{ ...order().lines[0]!, ...change }];

/** The framing of Avro: a zero, then the schema's id in four bytes. */
function withSchemaId(value: Buffer, id: number): Buffer {
  const changed = Buffer.from(value);
  changed.writeInt32BE(id, 1);
  return changed;
}

describe("what cannot be applied is a dead letter of both programs, with its bytes and the reason", () => {
  const kinds: Record<string, () => { value: Buffer | null; key?: Buffer; reason: string; message: RegExp }> = {
    "no bytes": () => ({ value: null, reason: "invalid_event", message: /./ }),
    "broken bytes": () => ({ value: Buffer.from("{not Avro"), reason: "invalid_event", message: /./ }),
    "bytes that are cut off": () => ({ value: encode(order()).subarray(0, 20), reason: "invalid_event", message: /./ }),
    "an unknown schema id": () => ({ value: withSchemaId(encode(order()), 987_654), reason: "invalid_event", message: /987654/ }),
    "another customer's key": () => ({
      value: encode(order()),
      key: Buffer.from(`${shop.merchantId}:eve`),
      reason: "invalid_event",
      message: /key/,
    }),
    "a time in the future": () => ({
      value: encode({ ...order(), occurredAt: now + 3_600_000 }),
      reason: "occurred_in_future",
      message: /occurredAt/,
    }),
    "an amount beyond 2^53-1": () => ({
      value: encode({ ...order(), lines: line({ netMinor: 2n ** 53n }) }),
      reason: "invalid_event",
      message: /netMinor/,
    }),
    "a text that is too long": () => ({
      value: encode({ ...order(), lines: line({ sku: "s".repeat(257) }) }),
      reason: "invalid_event",
      message: /sku/,
    }),
    "too many lines": () => ({
      value: encode({ ...order(), lines: Array.from({ length: 2_001 }, () => line({})[0]!) }),
      reason: "invalid_event",
      message: /lines/,
    }),
  };

  test.each(Object.entries(kinds))("%s", async (_name, kind) => {
    const { value, key = Buffer.from(`${shop.merchantId}:ada`), reason, message } = kind();
    const headers = { trace: Buffer.from([0xff, 1]) };
    for (const [name, driver] of [
      ["tier", api.tier],
      ["cashback", api.cashback],
    ] as const) {
      const offset = driver.nextOffset(0);
      await driver.feed([{ timestamp: now, key, value, headers }]);
      const rows = await api.sql.unsafe<{ message: string }[]>(
        `SELECT topic, part, key, value, headers, scope, reason, message FROM ${name}.dead_letter WHERE part = 0 AND off = $1`,
        [offset],
      );
      const stored = { topic: "orders.v1", part: 0, key, value, headers: { trace: "/wE=" }, scope: shop.merchantId, reason };
      expect(rows).toEqual([{ ...stored, message: expect.stringMatching(message) as string }]);
    }
  });
});

describe("a registry that is down", () => {
  test("is waited for: nothing becomes a dead letter", async () => {
    const { kafkaBrokers, registryUrl } = inject("stack");
    const topic = `orders.${randomUUID().slice(0, 8)}`;
    const others = { noticeTopic: `${topic}.notices`, deadLetterTopic: `${topic}.${deadLetterTopic("tier")}` };
    const topics = { orders: topic, notifications: others.noticeTopic };
    await ensureTopics(kafkaBrokers, { partitions: 1, development: true, topics, others: [others.deadLetterTopic] });
    const real = new URL(registryUrl);
    const [port = 0] = await freePorts(1);
    const decoder = openOrderDecoder(connectRegistry(Object.assign(new URL(registryUrl), { port: String(port) }).href));
    const program = { ...createTierProgram({ decoder, encoder: api.deps.records.notifications }), topic, groupId: topic };
    const sql = api.pool("perkstream_tier");
    await ensureProgress(sql, { program: "tier", topic }, 1);
    const kafka = createKafka({ brokers: kafkaBrokers.split(","), clientId: "registry-down" });
    const warnings: string[] = [];
    const log = { debug() {}, info() {}, warn: (_fields: object, text: string) => void warnings.push(text), error() {} };
    const host = startProgram({ program, sql, kafka, ...others, log, metrics: new Registry() });
    const producer = kafka.producer();
    const relay = createServer((client) => {
      const upstream = connect(Number(real.port), real.hostname);
      client.pipe(upstream).pipe(client);
      for (const socket of [client, upstream]) {
        socket.on("error", () => {
          client.destroy();
          upstream.destroy();
        });
      }
    });
    const next = async () => {
      const [row] = await api.sql<{ next: number }[]>`SELECT next_off::int AS next FROM tier.progress WHERE topic = ${topic}`;
      return row!.next;
    };
    try {
      await producer.connect();
      const event = order();
      await producer.send({ topic, messages: [{ key: `${shop.merchantId}:ada`, value: encode(event), timestamp: String(now) }] });
      await expect
        .poll(() => warnings.filter((text) => text.includes("the partition waits")).length, { timeout: 20_000 })
        .toBeGreaterThan(2);
      expect(await next()).toBe(0);
      await new Promise<void>((resolve) => relay.listen(port, "127.0.0.1", resolve));
      await expect.poll(next, { timeout: 20_000 }).toBe(1);
      expect(await api.sql`SELECT FROM tier.dead_letter WHERE topic = ${topic}`).toHaveLength(0);
      expect(await api.sql`SELECT FROM tier."order" WHERE order_id = ${event.orderId}`).toHaveLength(1);
    } finally {
      await host.stop();
      await producer.disconnect();
      relay.close();
    }
  }, 60_000);
});
