import { randomUUID } from "node:crypto";
import type { Merchant } from "@perkstream/merchant";
import { inPartitions } from "@perkstream/program";
import { Registry } from "@perkstream/service";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createApp } from "./app.ts";
import type { Deps } from "./deps.ts";
import { scopeOf } from "./programs.ts";
import type { TestApi, TestMerchant } from "./testing/api.ts";
import { at, campaign, ladder, startSystem, type TestSystem } from "./testing/system.ts";

/* What a command does goes by what holds when it has its lock, not when the request came. */

let api: TestSystem;

beforeAll(async () => {
  api = await startSystem(inject("stack"));
}, 120_000);
afterAll(() => api?.stop());

const lines = [{ sku: "s", quantity: 1, netMinor: 10_000 }];

/** The same API with other parts; the caller is the shop's owner. */
async function otherApi(shop: TestMerchant, parts: Partial<Deps>): Promise<TestApi["call"]> {
  const { body } = await api.call("POST", "/v1/dev/sign-in", { merchantId: shop.merchantId, role: "owner", sub: "other" });
  const app = createApp({ ...api.deps, metrics: new Registry(), ...parts });
  return async (method, path, sent, headers = {}) => {
    const authorization = `Bearer ${String(body["token"])}`;
    const init = { method, headers: { host: "localhost", "content-type": "application/json", authorization, ...headers } };
    const response = await app.request(path, sent === undefined ? init : { ...init, body: JSON.stringify(sent) });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
  };
}

/** The API as a request sees it whose credentials were checked just before a change of the settings. */
async function beforeChange(shop: TestMerchant): Promise<TestApi["call"]> {
  const { authenticator } = api.deps;
  const merchant: Merchant | null = await authenticator.findMerchant(shop.merchantId);
  return otherApi(shop, { authenticator: { ...authenticator, findMerchant: async () => merchant } });
}

describe("settings that change after a request was authenticated", () => {
  let shop: TestMerchant;
  let early: TestApi["call"];

  beforeAll(async () => {
    shop = await api.merchant({ currency: "EUR" });
    await shop.call("PUT", "/v1/tiers", ladder, { "if-match": "*", ...at(1) });
    await shop.call("POST", "/v1/campaigns", { ...campaign, rateBps: 1_000 }, at(1));
    early = await beforeChange(shop);
    await shop.call("PATCH", "/v1/merchant", { currency: "USD", name: "Renamed" });
  });

  test("hold for a pin", async () => {
    const pinned = await early("PUT", "/v1/customers/vip/pin", { levelId: "gold", reason: "r" }, at(2));
    expect(pinned).toMatchObject({ status: 200, body: { cashback: { currency: "USD" } } });
  });

  test("hold for redemptions", async () => {
    await shop.call("POST", "/v1/orders", { orderId: "o1", customerId: "ann", lines }, at(2));
    await api.handle();
    const made = await early("POST", "/v1/redemptions", { customerId: "ann", amountMinor: 100, ttlSeconds: 600 }, at(3));
    expect(made.status).toBe(201);
    const path = `/v1/redemptions/${String(made.body["redemptionId"])}`;
    expect((await early("POST", `${path}/commit`, undefined, at(3))).status).toBe(200);
    const rows = await api.sql<{ value: Buffer }[]>`SELECT value FROM cashback.outbox WHERE key = ${`${shop.merchantId}:ann`}`;
    const values = rows.map(({ value }) => value);
    await api.deps.records.json.prepare(values);
    const notices = values.map((value) => api.deps.records.json.decode(value));
    expect(notices.flatMap((one) => (one.ok && one.event.type === "CashbackRedeemed" ? [one.event.data["currency"]] : []))).toEqual([
      "USD",
    ]);
  });

  test("hold for a further change: the currency is fixed, the audit says what was before", async () => {
    expect(await early("PATCH", "/v1/merchant", { currency: "EUR" })).toMatchObject({ status: 409, body: { code: "currency_fixed" } });
    expect((await early("PATCH", "/v1/merchant", { timeZone: "UTC" })).body).toMatchObject({ currency: "USD", timeZone: "UTC" });
    const { body } = await shop.call("GET", "/v1/audit?limit=1");
    expect(body["data"]).toMatchObject([{ before: { name: "Renamed", currency: "USD" }, after: { name: "Renamed", timeZone: "UTC" } }]);
  });
});

test("edits take turns: only one at a time waits for the locks of all partitions", async () => {
  const shop = await api.merchant({});
  const waiting = async () => {
    const [row] = await api.sql<{ waiting: number }[]>`
      SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return row?.waiting;
  };
  const edits: ReturnType<TestMerchant["call"]>[] = [];
  await api.sql.begin(async (tx) => {
    await tx.unsafe("SET LOCAL idle_in_transaction_session_timeout = 0");
    await inPartitions(tx, { ...scopeOf("cashback"), partitions: [0] }, async () => {
      for (let n = 0; n < 5; n += 1) edits.push(shop.call("POST", "/v1/campaigns", { ...campaign, id: `turn-${n}` }, at(1)));
      await expect.poll(waiting).toBe(1);
      // Nothing else comes to wait: so many looks take longer than what an edit does before its lock.
      for (let look = 0; look < 20; look += 1) expect(await waiting()).toBe(1);
    });
  });
  expect((await Promise.all(edits)).map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
});

describe("orders that name a redemption", () => {
  let shop: TestMerchant;
  const reserve = async (): Promise<string> => {
    const { body } = await shop.call("POST", "/v1/redemptions", { customerId: "ann", amountMinor: 50, ttlSeconds: 600 }, at(3));
    return String(body["redemptionId"]);
  };
  const order = (orderId: string, redemptionId: string | null) => ({ orderId, customerId: "ann", lines, redemptionId });
  const orderOf = async (redemptionId: string) => (await shop.call("GET", `/v1/redemptions/${redemptionId}`)).body["orderId"];

  beforeAll(async () => {
    shop = await api.merchant();
    await shop.call("POST", "/v1/campaigns", { ...campaign, rateBps: 1_000 }, at(1));
    await shop.call("POST", "/v1/orders", { orderId: "first", customerId: "ann", lines }, at(2));
    await api.handle();
  });

  test("are commands: they wait for the programs after a start, others do not", async () => {
    const closed = await otherApi(shop, { commandsOpen: () => Promise.resolve(false) });
    const redemptionId = await reserve();
    expect(await closed("POST", "/v1/orders", order("g1", redemptionId), at(3))).toMatchObject({ status: 503 });
    expect(await closed("POST", "/v1/orders/batch", { orders: [order("g2", null), order("g3", redemptionId)] }, at(3))).toMatchObject({
      status: 503,
    });
    expect(await orderOf(redemptionId)).toBeNull();
    expect((await closed("POST", "/v1/orders", order("g4", null), at(3))).status).toBe(202);
    expect((await closed("POST", "/v1/orders/batch", { orders: [order("g5", null), "junk"] }, at(3))).status).toBe(200);
  });

  test.each(["/v1/orders", "/v1/orders/batch"])("leave no transaction open while they are linked: %s", async (path) => {
    const redemptionId = await reserve();
    const one = order(`idle-${path}`, redemptionId);
    const partition = api.deps.partitionOf(shop.merchantId, "ann");
    let sent: ReturnType<TestApi["call"]> | undefined;
    await api.sql.begin((tx) =>
      inPartitions(tx, { ...scopeOf("cashback"), partitions: [partition] }, async () => {
        await tx.unsafe("SET LOCAL idle_in_transaction_session_timeout = 0");
        const [holder] = await tx<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
        const inState = async (state: string) => {
          const rows = await api.sql<{ pid: number }[]>`
            SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> ${holder!.pid} AND pid <> pg_backend_pid()
              AND CASE WHEN wait_event_type = 'Lock' THEN 'waiting' ELSE state END = ${state}`;
          return rows.length;
        };
        sent = shop.call("POST", path, path.endsWith("batch") ? { orders: [one] } : one, { "idempotency-key": randomUUID(), ...at(3) });
        await expect.poll(() => inState("waiting"), { interval: 10 }).toBe(1);
        expect(await inState("idle in transaction")).toBe(0);
      }),
    );
    expect((await sent)?.status).toBe(path.endsWith("batch") ? 200 : 202);
    expect(await orderOf(redemptionId)).toBe(one.orderId);
  });

  test("are answered once per Idempotency-Key", async () => {
    const [first, second] = [await reserve(), await reserve()];
    const key = { "idempotency-key": randomUUID(), ...at(3) };
    const answer = await shop.call("POST", "/v1/orders/batch", { orders: [order("k1", first)] }, key);
    expect(answer.body).toMatchObject({ results: [{ status: 202, orderId: "k1" }] });
    const appended = api.appended.length;
    await shop.call("POST", `/v1/redemptions/${first}/release`, undefined, at(3));
    expect((await shop.call("POST", "/v1/orders/batch", { orders: [order("k1", first)] }, key)).body).toEqual(answer.body);
    expect((await shop.call("POST", "/v1/orders/batch", { orders: [order("k2", second)] }, key)).status).toBe(422);
    expect(await orderOf(second)).toBeNull();
    expect(api.appended).toHaveLength(appended);
    const refusedKey = { "idempotency-key": randomUUID(), ...at(3) };
    const refused = await shop.call("POST", "/v1/orders", order("k3", first), refusedKey);
    expect(refused).toMatchObject({ status: 409, body: { code: "not_reserved" } });
    expect((await shop.call("POST", "/v1/orders", order("k3", first), refusedKey)).body).toEqual(refused.body);
  });
});
