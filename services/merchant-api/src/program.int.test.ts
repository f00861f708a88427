import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { TestMerchant } from "./testing/api.ts";
import { at, campaign, ladder, startSystem, type TestSystem } from "./testing/system.ts";

/* From an order to what the API shows. The steps build on each other. */

let api: TestSystem;

beforeAll(async () => {
  api = await startSystem(inject("stack"));
}, 120_000);
afterAll(() => api?.stop());

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
    await api.handle();
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
    expect((await shop.call("GET", "/v1/dev/counts")).body).toMatchObject({
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
    await api.handle();
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
    await api.handle();
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
