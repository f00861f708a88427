import { randomUUID } from "node:crypto";
import { createCashbackProgram } from "@perkstream/cashback";
import { createInboxProgram } from "@perkstream/inbox";
import { createDriver, type DrivenRecord, type Driver } from "@perkstream/program";
import { createLevels, createTierProgram } from "@perkstream/tier";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { startApi, type TestApi, type TestMerchant } from "./testing/api.ts";

/*
 * What the API writes and shows, with the programs run by their drivers over what went to Kafka. The steps of a describe
 * block build on each other.
 */

let api: TestApi;
let drivers: { tier: Driver; cashback: Driver; inbox: Driver };
let fed = 0;
let told = { tier: 0, cashback: 0 };

beforeAll(async () => {
  api = await startApi(inject("stack"));
  const { sql, partitions, deps } = api;
  const decoder = deps.records.storedOrders;
  const encoder = deps.records.notifications;
  drivers = {
    tier: await createDriver(createTierProgram({ decoder, encoder }), sql, partitions),
    cashback: await createDriver(createCashbackProgram({ decoder, encoder, tier: createLevels(), sql }), sql, partitions),
    inbox: await createDriver(createInboxProgram({ reader: deps.records.json, now: Date.now }), sql, partitions),
  };
}, 120_000);
afterAll(() => api?.stop());

/** Lets both programs and the inbox handle what was sent since the last call. */
async function handle(): Promise<void> {
  const records = api.appended.slice(fed).map(({ partition, event, timestamp }): DrivenRecord => {
    const value = api.deps.records.orders.encode(event);
    return { partition, timestamp, key: Buffer.from(`${event.merchantId}:${event.customerId}`), value };
  });
  fed = api.appended.length;
  await drivers.tier.feed(records);
  await drivers.cashback.feed(records);
  await tell();
}

async function tell(): Promise<void> {
  const fresh = [...drivers.tier.notices.slice(told.tier), ...drivers.cashback.notices.slice(told.cashback)];
  told = { tier: drivers.tier.notices.length, cashback: drivers.cashback.notices.length };
  const timestamp = Date.now();
  await drivers.inbox.feed(
    fresh.map(({ key, value }) => ({
      partition: api.deps.partitionOf(key.slice(0, 36), key.slice(37)),
      timestamp,
      key: Buffer.from(key),
      value,
    })),
  );
}

const ladder = {
  settings: { metric: "net_spend", window: "lifetime", refundPolicy: "immediate", downgrade: "drop_to_qualified", graceDays: 0 },
  levels: [
    { id: "bronze", name: "Bronze", threshold: 0, cashbackMultiplierBps: 10_000 },
    { id: "gold", name: "Gold", threshold: 10_000, cashbackMultiplierBps: 20_000 },
  ],
};
const campaign = { id: "k1", name: "One percent", rateBps: 100, status: "active", expiry: { type: "days", days: 90 } };
const at = (day: number) => ({ "perks-now": new Date(Date.UTC(2025, 0, day, 12)).toISOString() });

describe("from an order to a customer", () => {
  let shop: TestMerchant;
  const order = (orderId: string, netMinor: number, customerId = "ann") => ({
    orderId,
    customerId,
    lines: [{ sku: "s", category: "c", quantity: 1, netMinor }],
  });

  test("a ladder is put with its ETag", async () => {
    shop = await api.merchant();
    const empty = await shop.call("GET", "/v1/tiers");
    expect(empty).toMatchObject({
      status: 200,
      body: { version: 0, levels: [], settings: { metric: "net_spend", window: "rolling_days", days: 365 } },
    });
    expect(empty.headers.get("etag")).toBe('"0"');
    expect((await shop.call("PUT", "/v1/tiers", ladder)).status).toBe(428);
    expect((await shop.call("PUT", "/v1/tiers", ladder, { "if-match": '"1"' })).status).toBe(412);
    const put = await shop.call("PUT", "/v1/tiers", ladder, { "if-match": '"0"', ...at(1) });
    expect(put).toMatchObject({ status: 200, body: { version: 1, ...ladder } });
    expect(put.headers.get("etag")).toBe('"1"');
    expect((await shop.call("GET", "/v1/tiers")).body).toEqual(put.body);
  });

  test("a campaign is made, and its id is taken then", async () => {
    const made = await shop.call("POST", "/v1/campaigns", campaign, at(1));
    expect(made).toMatchObject({
      status: 201,
      body: {
        ...campaign,
        version: 1,
        stacking: "best",
        tierMultiplier: true,
        endsAt: null,
        include: null,
        budgetMinor: null,
        holdDays: 0,
      },
    });
    expect(made.headers.get("etag")).toBe('"1"');
    expect(await shop.call("POST", "/v1/campaigns", campaign)).toMatchObject({ status: 409, body: { code: "id_taken" } });
  });

  test("before the first order nothing is known", async () => {
    for (const path of ["", "/lots", "/transfers", "/tier-history", "/notifications", "/orders", "/caps"]) {
      expect((await shop.call("GET", `/v1/customers/ann${path}`)).status, path).toBe(404);
    }
    expect((await shop.call("GET", "/v1/customers")).body).toEqual({ data: [], nextCursor: null });
  });

  test("orders make a customer, with the multiplier of the level before each", async () => {
    expect((await shop.call("POST", "/v1/orders", order("o1", 10_000), at(2))).status).toBe(202);
    expect((await shop.call("POST", "/v1/orders", order("o2", 5_000), at(3))).status).toBe(202);
    expect((await shop.call("POST", "/v1/orders", order("o2", 5_000), at(3))).status).toBe(202);
    await handle();
    const { status, body } = await shop.call("GET", "/v1/customers/ann", undefined, at(3));
    expect(status).toBe(200);
    expect(body).toEqual({
      customerId: "ann",
      tier: { id: "gold", name: "Gold", since: "2025-01-02T12:00:00.000Z", validUntil: null, pinned: false },
      metric: 15_000,
      lastPeriodMetric: null,
      nextTier: null,
      cashback: {
        pendingMinor: 0,
        availableMinor: 200,
        reservedMinor: 0,
        debtMinor: 0,
        balanceMinor: 200,
        currency: "EUR",
        nextExpiry: { amountMinor: 100, at: "2025-04-02T12:00:00.000Z" },
      },
    });
    expect((await shop.call("GET", "/v1/dev/counts")).body).toEqual({
      tier: { events: 3, duplicates: 1, parked: 0 },
      cashback: { events: 3, duplicates: 1, parked: 0 },
    });
  });

  test("an order explains itself", async () => {
    const { body } = await shop.call("GET", "/v1/orders/o2");
    expect(body).toMatchObject({
      orderId: "o2",
      customerId: "ann",
      localDate: "2025-01-03",
      tier: { before: "gold", after: "gold" },
      lines: [{ line: 0, netMinor: 5_000, baseMinor: 5_000, remainingMinor: 5_000 }],
      awards: [
        {
          campaignId: "k1",
          multiplierBps: 20_000,
          awardedMinor: 100,
          currentMinor: 100,
          lines: [100],
          why: { awardMinor: 100, earnedMinor: 100 },
        },
      ],
      notEligible: [],
      refunds: [],
    });
    expect((await shop.call("GET", "/v1/orders/none")).status).toBe(404);
  });

  test("a refund takes back", async () => {
    await shop.call("POST", "/v1/orders/o1/refunds", { customerId: "ann", refundId: "r1", lines: [{ line: 0, netMinor: 8_000 }] }, at(4));
    await handle();
    expect((await shop.call("GET", "/v1/orders/o1")).body).toMatchObject({
      lines: [{ remainingMinor: 2_000 }],
      awards: [{ awardedMinor: 100, currentMinor: 20 }],
      refunds: [{ refundId: "r1", amountMinor: 8_000, clawbacks: [{ campaignId: "k1", amountMinor: 80, availableMinor: 80 }] }],
    });
    expect((await shop.call("GET", "/v1/customers/ann", undefined, at(4))).body).toMatchObject({
      tier: { id: "bronze" },
      metric: 7_000,
      nextTier: { id: "gold", missing: 3_000 },
    });
  });

  test("lists are newest first and page by cursors", async () => {
    const history = await shop.call("GET", "/v1/customers/ann/tier-history?limit=1");
    expect(history.body).toMatchObject({
      data: [{ from: "gold", to: "bronze", reason: "refund", actor: "system", orderId: "o1", ruleVersion: 1 }],
    });
    const all: unknown[] = [];
    for (let cursor = ""; ;) {
      const { body } = await shop.call("GET", `/v1/customers/ann/transfers?limit=2${cursor}`);
      all.push(...(body["data"] as unknown[]));
      if (body["nextCursor"] === null) break;
      cursor = `&cursor=${String(body["nextCursor"])}`;
    }
    expect(all).toMatchObject([
      { debit: "available", credit: "cost", kind: "clawback", amountMinor: 80, orderId: "o1" },
      { debit: "cost", credit: "available", kind: "award", amountMinor: 100, orderId: "o2" },
      { debit: "cost", credit: "available", kind: "award", amountMinor: 100, orderId: "o1", cause: { topic: "orders.v1" } },
    ]);
    expect((await shop.call("GET", "/v1/customers/ann/lots")).body).toMatchObject({
      data: [{ orderId: "o2" }, { orderId: "o1", reversedMinor: 80, availableMinor: 20 }],
    });
    const orders = await shop.call("GET", "/v1/customers/ann/orders?limit=1");
    expect(orders.body).toMatchObject({ data: [{ orderId: "o2", netMinor: 5_000, remainingMinor: 5_000, cancelled: false }] });
    expect((await shop.call("GET", `/v1/customers/ann/orders?limit=1&cursor=${String(orders.body["nextCursor"])}`)).body).toEqual({
      data: [{ orderId: "o1", occurredAt: "2025-01-02T12:00:00.000Z", netMinor: 10_000, remainingMinor: 2_000, cancelled: false }],
      nextCursor: null,
    });
    expect((await shop.call("GET", "/v1/customers/ann/caps")).body).toEqual({ data: [], nextCursor: null });
    expect((await shop.call("GET", "/v1/customers/ann/lots?cursor=bad")).status).toBe(400);
  });

  test("the inbox shows what was told; an ack reads it", async () => {
    const { body } = await shop.call("GET", "/v1/customers/ann/notifications");
    const notes = body["data"] as { cursor: string; id: string; type: string; at: string; read: boolean; data: Record<string, unknown> }[];
    expect(notes.map(({ type }) => type).toSorted()).toEqual([
      "CashbackEarned",
      "CashbackEarned",
      "CashbackReversed",
      "TierChanged",
      "TierChanged",
    ]);
    for (const { id, at: time, data, read } of notes) {
      expect(read).toBe(false);
      expect(data).toMatchObject({ id, occurredAt: time, merchantId: shop.merchantId, customerId: "ann" });
    }
    const { body: issued } = await shop.call("POST", "/v1/customers/ann/tokens", { ttlSeconds: 60 });
    expect(issued).toMatchObject({ url: "ws://127.0.0.1:8081/v1/connect" });
    const mine = { authorization: `Bearer ${String(issued["token"])}` };
    expect((await api.call("GET", "/v1/me", undefined, mine)).body).toMatchObject({ customerId: "ann", metric: 7_000 });
    expect((await api.call("POST", "/v1/me/notifications/ack", { cursor: notes[2]!.cursor }, mine)).status).toBe(204);
    const after = await api.call("GET", "/v1/me/notifications", undefined, mine);
    expect((after.body["data"] as { read: boolean }[]).map(({ read }) => read)).toEqual([false, false, true, true, true]);
    expect((await api.call("GET", "/v1/me/transfers?limit=1", undefined, mine)).body).toMatchObject({ data: [{ kind: "clawback" }] });
    expect((await api.call("GET", "/v1/customers/ann", undefined, mine)).status).toBe(403);
    expect((await api.call("POST", "/v1/me/notifications/ack", { cursor: "x" }, mine)).status).toBe(400);
  });

  test("another merchant sees nothing of it", async () => {
    const other = await api.merchant();
    expect((await other.call("GET", "/v1/customers/ann")).status).toBe(404);
    expect((await other.call("GET", "/v1/orders/o1")).status).toBe(404);
    expect((await other.call("GET", "/v1/campaigns/k1")).status).toBe(404);
    expect((await other.call("GET", "/v1/dev/counts")).body).toMatchObject({ tier: { events: 0 } });
  });

  test("the currency is fixed now", async () => {
    expect(await shop.call("PATCH", "/v1/merchant", { currency: "USD" })).toMatchObject({ status: 409, body: { code: "currency_fixed" } });
    expect((await shop.call("PATCH", "/v1/merchant", { currency: "EUR", name: "Same" })).status).toBe(200);
  });

  test("customers are listed by id, also by level", async () => {
    await shop.call(
      "POST",
      "/v1/orders/batch",
      { orders: [order("o3", 1, "Zoe"), order("o4", 20_000, "bob"), order("o5", 1, "ámi")] },
      at(5),
    );
    await handle();
    const ids = async (query: string) =>
      ((await shop.call("GET", `/v1/customers?${query}`)).body["data"] as { customerId: string }[]).map(({ customerId }) => customerId);
    expect(await ids("")).toEqual(["Zoe", "ann", "bob", "ámi"]);
    expect(await ids("tier=gold")).toEqual(["bob"]);
    expect(await ids("tier=none")).toEqual([]);
    const first = await shop.call("GET", "/v1/customers?limit=2");
    const second = await shop.call("GET", `/v1/customers?limit=2&cursor=${String(first.body["nextCursor"])}`);
    expect(second.body).toMatchObject({ data: [{ customerId: "bob" }, { customerId: "ámi" }], nextCursor: null });
  });

  test("a ladder edit is previewed, then stored", async () => {
    const { body: before } = await shop.call("GET", "/v1/tiers");
    const harder = {
      ...ladder,
      levels: [
        { ...ladder.levels[0], threshold: 10 },
        { ...ladder.levels[1], threshold: 30_000 },
      ],
    };
    const preview = await shop.call("PUT", "/v1/tiers?preview=true", harder, { "if-match": '"1"', ...at(6) });
    expect(preview).toMatchObject({ status: 200, body: { up: 0, down: 3, stay: 1 } });
    expect((await shop.call("GET", "/v1/tiers")).body).toEqual(before);
    const level = await shop.call("POST", "/v1/tiers", { id: "silver", name: "Silver", threshold: 5_000 }, at(6));
    expect(level).toMatchObject({
      status: 201,
      body: { version: 2, levels: [{ id: "bronze" }, { id: "silver", cashbackMultiplierBps: 10_000 }, { id: "gold" }] },
    });
    const renamed = await shop.call("PATCH", "/v1/tiers/silver", { name: "Argent" }, { "if-match": '"2"' });
    expect(renamed).toMatchObject({ status: 200, body: { version: 3, levels: [{}, { name: "Argent" }, {}] } });
    expect((await shop.call("PATCH", "/v1/tiers/silver", { name: "x" })).status).toBe(428);
    expect((await shop.call("DELETE", "/v1/tiers/none")).status).toBe(404);
    expect((await shop.call("DELETE", "/v1/tiers/silver")).body).toMatchObject({ version: 4, levels: [{ id: "bronze" }, { id: "gold" }] });
    expect(await (await shop.as("operator"))("DELETE", "/v1/tiers/gold")).toMatchObject({ status: 403 });
  });
});

describe("campaigns", () => {
  let shop: TestMerchant;
  const etag = (version: number) => ({ "if-match": `"${version}"` });

  test("are drafts first, changed by PATCH, cleared by null", async () => {
    shop = await api.merchant();
    const made = await shop.call("POST", "/v1/campaigns", {
      id: "a",
      rateBps: 50,
      budgetMinor: 1_000,
      perOrderCapMinor: 5,
      include: { skus: ["x"] },
    });
    expect(made).toMatchObject({ status: 201, body: { name: "a", status: "draft", include: { skus: ["x"], categories: null } } });
    expect((await shop.call("PATCH", "/v1/campaigns/a", { rateBps: 60 })).status).toBe(428);
    const changed = await shop.call("PATCH", "/v1/campaigns/a", { rateBps: 60, budgetMinor: null, holdDays: null, name: null }, etag(1));
    expect(changed).toMatchObject({
      status: 200,
      body: { rateBps: 60, budgetMinor: null, perOrderCapMinor: 5, holdDays: 0, name: "a", version: 2 },
    });
    expect((await shop.call("PATCH", "/v1/campaigns/a", { rateBps: 70 }, etag(1))).status).toBe(412);
    expect((await shop.call("GET", "/v1/campaigns/a")).body).toEqual(changed.body);
  });

  test("go from status to status, but never back to draft; only a draft is deleted", async () => {
    expect((await shop.call("POST", "/v1/campaigns/a/activate")).body).toMatchObject({ status: "active", version: 3 });
    expect((await shop.call("POST", "/v1/campaigns/a/pause", undefined, etag(3))).body).toMatchObject({ status: "paused" });
    expect((await shop.call("POST", "/v1/campaigns/a/end")).body).toMatchObject({ status: "ended", version: 5 });
    expect((await shop.call("POST", "/v1/campaigns/a/activate")).body).toMatchObject({ status: "active" });
    expect(await shop.call("PATCH", "/v1/campaigns/a", { status: "draft" }, { "if-match": "*" })).toMatchObject({
      status: 409,
      body: { code: "invalid_transition" },
    });
    expect(await shop.call("DELETE", "/v1/campaigns/a")).toMatchObject({ status: 409, body: { code: "not_draft" } });
    await shop.call("POST", "/v1/campaigns", { id: "b", rateBps: 1 });
    expect((await shop.call("GET", "/v1/campaigns?limit=1")).body).toMatchObject({
      data: [{ id: "a" }],
      nextCursor: expect.any(String) as string,
    });
    expect((await shop.call("DELETE", "/v1/campaigns/b")).status).toBe(204);
    expect((await shop.call("GET", "/v1/campaigns/b")).status).toBe(404);
  });

  test("have stats", async () => {
    await shop.call("POST", "/v1/campaigns", { id: "c", rateBps: 1_000, status: "active", budgetMinor: 150 }, at(1));
    for (const orderId of ["1", "2"]) {
      await shop.call("POST", "/v1/orders", { orderId, customerId: "x", lines: [{ sku: "s", quantity: 1, netMinor: 1_000 }] }, at(2));
    }
    await handle();
    expect((await shop.call("GET", "/v1/campaigns/c/stats")).body).toEqual({
      campaignId: "c",
      awardedMinor: 150,
      reversedMinor: 0,
      usedMinor: 150,
      redeemedMinor: 0,
      budgetLeftMinor: 0,
      customers: 1,
    });
    expect((await shop.call("GET", "/v1/campaigns/none/stats")).status).toBe(404);
  });
});

describe("pins", () => {
  test("a customer that nobody knew is pinned, moved and unpinned", async () => {
    const shop = await api.merchant();
    await shop.call("PUT", "/v1/tiers", ladder, { "if-match": "*", ...at(1) });
    const until = "2025-02-01T00:00:00Z";
    const pinned = await shop.call("PUT", "/v1/customers/vip/pin", { levelId: "gold", reason: "goodwill", until }, at(2));
    expect(pinned).toMatchObject({
      status: 200,
      body: { customerId: "vip", tier: { id: "gold", pinned: true, validUntil: null }, metric: 0 },
    });
    expect((await shop.call("GET", "/v1/customers/vip", undefined, at(2))).body).toEqual(pinned.body);
    expect((await shop.call("GET", "/v1/customers/vip/lots")).body).toEqual({ data: [], nextCursor: null });
    expect(await shop.call("POST", "/v1/customers/vip/promote", { reason: "more" }, at(3))).toMatchObject({
      status: 409,
      body: { code: "no_such_level" },
    });
    const key = { "idempotency-key": randomUUID(), ...at(3) };
    const demoted = await shop.call("POST", "/v1/customers/vip/demote", { reason: "less" }, key);
    expect(demoted).toMatchObject({ status: 200, body: { tier: { id: "bronze", pinned: true } } });
    expect((await shop.call("POST", "/v1/customers/vip/demote", { reason: "less" }, key)).body).toEqual(demoted.body);
    expect((await shop.call("DELETE", "/v1/customers/vip/pin", undefined, at(4))).body).toMatchObject({
      tier: { id: "bronze", pinned: false },
    });
    expect(await shop.call("DELETE", "/v1/customers/vip/pin", undefined, at(4))).toMatchObject({
      status: 409,
      body: { code: "not_pinned" },
    });
    expect(await shop.call("PUT", "/v1/customers/vip/pin", { levelId: "x", reason: "r" }, at(4))).toMatchObject({
      status: 409,
      body: { code: "unknown_level" },
    });
    expect(await shop.call("PUT", "/v1/customers/vip/pin", { levelId: "gold", reason: "r", until }, { "perks-now": until })).toMatchObject({
      status: 400,
      body: { errors: [{ path: "until" }] },
    });
    const { body } = await shop.call("GET", "/v1/customers/vip/tier-history");
    expect(body["data"]).toMatchObject([
      { from: "gold", to: "bronze", reason: "pinned", actor: "owner-sub" },
      { from: null, to: "gold", reason: "pinned", actor: "owner-sub" },
    ]);
  });
});

describe("dead letters", () => {
  test("both programs keep one of the same record; reasons and programs filter; pages go on", async () => {
    const shop = await api.merchant();
    const bad = { orderId: "o", customerId: "c", currency: "JPY", lines: [{ sku: "s", quantity: 1, netMinor: 1 }] };
    await shop.call("POST", "/v1/orders", bad, at(1));
    await shop.call("POST", "/v1/orders/p/cancel", { customerId: "c" }, at(1));
    await handle();
    const { body } = await shop.call("GET", "/v1/dead-letters");
    const { partition } = api.appended.at(-2)!;
    const letter = {
      reason: "currency_mismatch",
      topic: "orders.v1",
      partition,
      key: `${shop.merchantId}:c`,
      timestamp: "2025-01-01T12:00:00.000Z",
      redrivenAt: null,
    };
    expect(body["data"]).toMatchObject([letter, letter]);
    expect(body["data"]).toMatchObject([{ event: { type: "OrderPlaced", orderId: "o", currency: "JPY" } }, {}]);
    expect((body["data"] as { program: string }[]).map(({ program }) => program).toSorted()).toEqual(["cashback", "tier"]);
    const first = await shop.call("GET", "/v1/dead-letters?limit=1");
    const second = await shop.call("GET", `/v1/dead-letters?limit=1&cursor=${String(first.body["nextCursor"])}`);
    expect([...(first.body["data"] as object[]), ...(second.body["data"] as object[])]).toEqual(body["data"]);
    expect(second.body["nextCursor"]).toBeNull();
    expect((await shop.call("GET", "/v1/dead-letters?program=tier&reason=currency_mismatch")).body).toMatchObject({
      data: [{ program: "tier" }],
    });
    expect((await shop.call("GET", "/v1/dead-letters?reason=order_conflict")).body).toMatchObject({ data: [] });
  });

  test("those of no merchant are the bootstrap key's", async () => {
    const nobody = randomUUID();
    const value = api.deps.records.orders.encode({
      type: "OrderCancelled",
      merchantId: nobody,
      customerId: "c",
      orderId: "o",
      occurredAt: 1,
      reason: null,
    });
    const record = { partition: 0, timestamp: 1_700_000_000_000, key: Buffer.from(`${nobody}:c`), value };
    await drivers.tier.feed([record, { ...record, key: Buffer.of(0xff), value: Buffer.from("junk") }]);
    const key = { "x-api-key": "development" };
    const { body } = await api.call("GET", "/v1/dead-letters?merchant=none&program=tier", undefined, key);
    expect(body["data"]).toMatchObject([
      { key: null, keyBase64: "/w==", value: Buffer.from("junk").toString("base64"), event: null },
      { reason: "unknown_merchant", key: `${nobody}:c`, event: { type: "OrderCancelled" } },
    ]);
    expect((await api.call("GET", "/v1/dead-letters", undefined, key)).status).toBe(403);
    const shop = await api.merchant();
    expect((await shop.call("GET", "/v1/dead-letters?merchant=none")).status).toBe(403);
  });
});

describe("settle", () => {
  test("names what is behind", async () => {
    const shop = await api.merchant();
    const answer = await shop.call("POST", "/v1/dev/settle", { positions: [{ partition: 0, offset: 1_000_000_000 }], timeoutSeconds: 0.2 });
    expect(answer).toMatchObject({ status: 504, body: { code: "not_settled", retryable: true } });
    expect(answer.body["detail"]).toMatch(/tier is at \d+ of partition 0/);
  });
});

describe("redemptions", () => {
  let shop: TestMerchant;
  const redeem = (body: object, headers = at(3)) => shop.call("POST", "/v1/redemptions", { customerId: "ann", ...body }, headers);
  const balance = async (headers = at(3)) => (await shop.call("GET", "/v1/customers/ann", undefined, headers)).body["cashback"];

  test("reserve, commit, release, one step", async () => {
    shop = await api.merchant();
    await shop.call("POST", "/v1/campaigns", { ...campaign, rateBps: 1_000 }, at(1));
    await shop.call(
      "POST",
      "/v1/orders",
      { orderId: "o1", customerId: "ann", lines: [{ sku: "s", quantity: 1, netMinor: 10_000 }] },
      at(2),
    );
    await handle();
    const reserved = await redeem({ amountMinor: 300, ttlSeconds: 600 });
    expect(reserved).toMatchObject({
      status: 201,
      body: {
        status: "reserved",
        amountMinor: 300,
        orderId: null,
        restoredMinor: 0,
        parts: [{ orderId: "o1", campaignId: "k1", amountMinor: 300 }],
        expiresAt: "2025-01-03T12:10:00.000Z",
      },
    });
    expect(await balance()).toMatchObject({ availableMinor: 700, reservedMinor: 300 });
    const path = `/v1/redemptions/${String(reserved.body["redemptionId"])}`;
    expect((await shop.call("POST", `${path}/commit`, undefined, at(3))).body).toMatchObject({ status: "committed" });
    expect(await shop.call("POST", `${path}/release`, undefined, at(3))).toMatchObject({ status: 409, body: { code: "not_reserved" } });
    expect((await shop.call("GET", path)).body).toMatchObject({ status: "committed" });
    expect(await redeem({ amountMinor: 100, commit: true })).toMatchObject({ status: 201, body: { status: "committed", expiresAt: null } });
    expect(await redeem({ amountMinor: 601, commit: true })).toMatchObject({ status: 409, body: { code: "insufficient_balance" } });
    expect(await redeem({ amountMinor: 1 })).toMatchObject({ status: 400, body: { errors: [{ path: "ttlSeconds" }] } });
    expect(await redeem({ amountMinor: 0, commit: true })).toMatchObject({ status: 400 });
    expect(await shop.call("POST", `/v1/redemptions/${randomUUID()}/commit`)).toMatchObject({ status: 404 });
  });

  test("the same cent is not spent twice, also under concurrent calls", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => redeem({ amountMinor: 200, ttlSeconds: 60 }, at(4))));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 201, 409, 409]);
    expect(await balance()).toMatchObject({ availableMinor: 0, reservedMinor: 600 });
  });

  test("an order is paid with one, which it is linked to", async () => {
    const sent = { customerId: "ann", lines: [{ sku: "s", quantity: 1, netMinor: 1_000 }] };
    await shop.call("POST", "/v1/orders", { ...sent, orderId: "o2", lines: [{ sku: "s", quantity: 1, netMinor: 5_000 }] }, at(5));
    await handle();
    const { body } = await redeem({ amountMinor: 50, ttlSeconds: 600 }, at(5));
    const redemptionId = String(body["redemptionId"]);
    expect((await shop.call("POST", "/v1/orders", { ...sent, orderId: "o3", redemptionId }, at(5))).status).toBe(202);
    expect(api.appended.at(-1)?.event).toMatchObject({ paidWithCashbackMinor: 50n });
    expect((await shop.call("GET", `/v1/redemptions/${redemptionId}`)).body).toMatchObject({ orderId: "o3", status: "reserved" });
    expect((await shop.call("POST", "/v1/orders", { ...sent, orderId: "o3", redemptionId }, at(5))).status).toBe(202);
    expect(await shop.call("POST", "/v1/orders", { ...sent, orderId: "o4", redemptionId }, at(5))).toMatchObject({
      status: 409,
      body: { code: "not_reserved" },
    });
    expect(await shop.call("POST", "/v1/orders", { ...sent, customerId: "bob", orderId: "o3", redemptionId }, at(5))).toMatchObject({
      status: 409,
    });
    expect(await shop.call("POST", "/v1/orders", { ...sent, orderId: "o5", redemptionId: randomUUID() }, at(5))).toMatchObject({
      status: 404,
    });
    await handle();
    expect((await shop.call("GET", "/v1/orders/o3")).body).toMatchObject({
      paidWithCashbackMinor: 50,
      lines: [{ baseMinor: 950 }],
      awards: [{ awardedMinor: 95 }],
    });
    await shop.call("POST", `/v1/redemptions/${redemptionId}/release`, undefined, at(5));
    expect(await shop.call("POST", "/v1/orders", { ...sent, orderId: "o3", redemptionId }, at(5))).toMatchObject({
      status: 409,
      body: { code: "not_reserved" },
    });
  });
});
