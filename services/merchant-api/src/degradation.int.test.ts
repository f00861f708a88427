import { connect } from "node:net";
import { topics } from "@perkstream/contracts";
import { kafkajs } from "@perkstream/program";
import { tcpProxy, type Proxy } from "@perkstream/program/testing";
import type { Kafka } from "kafkajs";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { limits } from "./http/limits.ts";
import type { Answer, TestMerchant } from "./testing/api.ts";
import { at, campaign, ladder, startSystem, type TestSystem } from "./testing/system.ts";

/** Above what Kafka may take, so that each bound is seen by itself. */
const gate = { atOnce: 20, answerMs: limits.produceTimeoutMs + 2_000 };
/** What a busy machine may take on top of a bound, ms. */
const SLACK_MS = 6_000;

let toKafka: Proxy;
let toPostgres: Proxy;
let api: TestSystem;
let shop: TestMerchant;

beforeAll(async () => {
  const stack = inject("stack");
  toKafka = await tcpProxy(addressOf(`tcp://${stack.kafkaBrokers}`));
  const postgresUrl = new URL(stack.postgresUrl);
  toPostgres = await tcpProxy(addressOf(stack.postgresUrl));
  postgresUrl.host = `127.0.0.1:${toPostgres.port}`;
  api = await startSystem({ ...stack, postgresUrl: postgresUrl.href }, { kafka: kafkaThrough(stack.kafkaBrokers), gate });
  shop = await api.merchant();
}, 120_000);
afterEach(() => {
  toKafka?.mend();
  toPostgres?.mend();
});
afterAll(async () => {
  await api?.stop();
  await toKafka?.close();
  await toPostgres?.close();
}, 60_000);

function addressOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

/** With the waits of the product's own client. */
function kafkaThrough(brokers: string): Kafka {
  return new kafkajs.Kafka({
    clientId: "degradation",
    brokers: [brokers],
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 },
    logLevel: kafkajs.logLevel.NOTHING,
    socketFactory: ({ onConnect }) => connect(toKafka.port, "127.0.0.1", onConnect),
  });
}

const order = (orderId: string, more: object = {}) => ({
  orderId,
  customerId: "ada",
  lines: [{ sku: "a", quantity: 1, netMinor: 10_000 }],
  ...more,
});

async function timed(call: Promise<Answer>): Promise<Answer & { tookMs: number }> {
  const startedAt = performance.now();
  const answer = await call;
  return { ...answer, tookMs: performance.now() - startedAt };
}

function expectUnavailable({ status, body, headers, tookMs }: Answer & { tookMs: number }, boundMs: number): void {
  expect({ status, code: body["code"], retryable: body["retryable"] }).toEqual({ status: 503, code: "unavailable", retryable: true });
  expect(headers.get("retry-after")).toMatch(/^\d+$/);
  expect(tookMs).toBeLessThan(boundMs + SLACK_MS);
}

/** Everything in the log about an order, whoever was told of it. */
async function recordsOf(orderId: string): Promise<string[]> {
  const { storedOrders } = api.deps.records;
  const partition = api.deps.partitionOf(shop.merchantId, "ada");
  const end = (await api.deps.orderLog.ends(topics.orders)).get(partition) ?? 0;
  const consumer = new kafkajs.Kafka({ brokers: [inject("stack").kafkaBrokers], logLevel: kafkajs.logLevel.NOTHING }).consumer({
    groupId: `degradation-${orderId}-${Date.now()}`,
  });
  const found: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topics.orders], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ partition: from, message: { offset, value } }) => {
          await storedOrders.prepare([value]);
          const read = storedOrders.decode(value);
          if (read.ok && read.event.merchantId === shop.merchantId && read.event.orderId === orderId)
            found.push(String(value?.toString("hex")));
          if (from === partition && Number(offset) >= end - 1) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return found;
}

describe("while Kafka", () => {
  test.each(["frozen", "away"])(
    "is %s, orders are 503 in time with nothing half done, and go through when it is back",
    async (how) => {
      const orderId = `order-${how}`;
      const key = { "idempotency-key": `key-${how}` };
      await shop.call("PUT", "/v1/tiers", ladder, { "if-match": "*" });
      await shop.call("POST", "/v1/campaigns", { ...campaign, id: how });
      expect((await shop.call("POST", "/v1/orders", order(`first-${how}`), at(1))).status).toBe(202);
      await api.handle();
      const reserved = await shop.call("POST", "/v1/redemptions", { customerId: "ada", amountMinor: 50, ttlSeconds: 864_000 }, at(2));
      expect(reserved.status).toBe(201);
      const redemptionId = String(reserved.body["redemptionId"]);
      const body = order(orderId, { redemptionId });

      if (how === "frozen") toKafka.hold();
      else toKafka.cut();
      const place = (sent: object, headers: object) => timed(shop.call("POST", "/v1/orders", sent, { ...headers, ...at(3) }));
      const refused = await Promise.all([place(body, key), place(order(`plain-${how}`), {})]);
      for (const answer of refused) expectUnavailable(answer, limits.produceTimeoutMs);
      // By the bound of a send, which is below the gate's and below what the database lets a transaction wait.
      expect(refused[1].body["detail"]).toContain("away or too busy");
      // The key is free, and the redemption is still reserved, for this order and for no other.
      expect(await api.sql`SELECT * FROM merchant.idempotency WHERE key = ${key["idempotency-key"]}`).toHaveLength(0);
      expect((await shop.call("GET", `/v1/redemptions/${redemptionId}`)).body).toMatchObject({ status: "reserved", orderId });
      expect((await shop.call("GET", `/v1/customers/ada`)).status).toBe(200);

      toKafka.mend();
      // Later, with the same content: the first send may have got there, too.
      const repeat = () => shop.call("POST", "/v1/orders", body, { ...key, ...at(4) });
      await expect.poll(async () => (await repeat()).status, { timeout: 30_000 }).toBe(202);
      expect(new Set(await recordsOf(orderId)).size).toBe(1);
      await api.handle();
      expect((await shop.call("GET", `/v1/orders/${orderId}`)).body).toMatchObject({ orderId, paidWithCashbackMinor: 50 });
      expect((await shop.call("POST", `/v1/redemptions/${redemptionId}/commit`, undefined, at(5))).body).toMatchObject({
        status: "committed",
      });
    },
    120_000,
  );
});

describe("while PostgreSQL", () => {
  test.each(["frozen", "away"])(
    "is %s, everything is 503 in time, more than a bound is not let in, and it goes on when it is back",
    async (how) => {
      if (how === "frozen") toPostgres.hold();
      else toPostgres.cut();
      const calls = Array.from({ length: 3 * gate.atOnce }, (_, i) =>
        timed(i % 2 === 0 ? shop.call("GET", "/v1/customers/ada") : shop.call("POST", "/v1/orders", order(`o-${how}-${i}`))),
      );
      const answers = await Promise.all(calls);
      for (const answer of answers) expectUnavailable(answer, gate.answerMs);
      if (how === "frozen") {
        const atOnce = answers.filter(({ body }) => String(body["detail"]).startsWith("too many"));
        expect(atOnce.length).toBeGreaterThanOrEqual(calls.length - gate.atOnce);
      }
      toPostgres.mend();
      await expect.poll(async () => (await shop.call("GET", "/v1/customers?limit=1")).status, { timeout: 30_000 }).toBe(200);
      await expect.poll(async () => (await shop.call("POST", "/v1/orders", order(`after-${how}`))).status, { timeout: 30_000 }).toBe(202);
    },
    120_000,
  );
});
