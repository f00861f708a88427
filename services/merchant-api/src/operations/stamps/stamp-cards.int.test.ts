import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { TestMerchant } from "../../testing/api.ts";
import { at, startSystem, type TestSystem } from "../../testing/system.ts";

/* Stamp cards through the API. The steps of a describe block build on each other. */

let api: TestSystem;
let shop: TestMerchant;

beforeAll(async () => {
  api = await startSystem(inject("stack"));
  shop = await api.merchant();
}, 120_000);
afterAll(() => api?.stop());

const coffee = { name: "Coffee card", category: "coffee", size: 3 };
const firstVersion = { "if-match": '"0"' };
const order = (orderId: string, quantity: number, customerId = "ann") => ({
  orderId,
  customerId,
  lines: [{ sku: "s", category: "coffee", quantity, netMinor: quantity * 300 }],
});
const stampsOf = async (customerId = "ann") => (await shop.call("GET", `/v1/customers/${customerId}/stamps`)).body;

describe("cards", () => {
  test("are made and changed with their ETag", async () => {
    expect((await shop.call("PUT", "/v1/stamp-cards/coffee", coffee)).status).toBe(428);
    expect(await shop.call("GET", "/v1/stamp-cards/coffee")).toMatchObject({ status: 404, body: { code: "not_found" } });
    const made = await shop.call("PUT", "/v1/stamp-cards/coffee", { category: "coffee", size: 10 }, { ...firstVersion, ...at(1) });
    expect(made).toMatchObject({
      status: 200,
      body: { id: "coffee", version: 1, name: "coffee", category: "coffee", size: 10, active: true },
    });
    expect(made.headers.get("etag")).toBe('"1"');
    expect((await shop.call("PUT", "/v1/stamp-cards/coffee", coffee, firstVersion)).body).toMatchObject({ code: "stale_version" });
    const changed = await shop.call("PUT", "/v1/stamp-cards/coffee", coffee, { "if-match": '"1"' });
    expect((await shop.call("GET", "/v1/stamp-cards/coffee")).body).toEqual({ ...coffee, id: "coffee", version: 2, active: true });
    const { body: audit } = await shop.call("GET", "/v1/audit?limit=1");
    expect(audit["data"]).toMatchObject([{ action: "stamp-card.put", target: "coffee", before: made.body, after: changed.body }]);
  });

  test("are listed by id, in pages", async () => {
    await shop.call("PUT", "/v1/stamp-cards/Tea%20%2F%20time", { category: "tea", size: 1, active: false }, firstVersion);
    const first = await shop.call("GET", "/v1/stamp-cards?limit=1");
    expect(first.body["data"]).toMatchObject([{ id: "Tea / time", active: false }]);
    const second = await shop.call("GET", `/v1/stamp-cards?limit=1&cursor=${String(first.body["nextCursor"])}`);
    expect(second.body).toMatchObject({ data: [{ id: "coffee" }], nextCursor: null });
    expect((await (await api.merchant()).call("GET", "/v1/stamp-cards")).body).toEqual({ data: [], nextCursor: null });
  });

  test.each([
    ["no category", { size: 3 }],
    ["a size of 0", { ...coffee, size: 0 }],
    ["a size beyond the bound", { ...coffee, size: 1_001 }],
    ["U+0000", { ...coffee, category: "a\u0000" }],
  ])("%s is refused", async (_, body) => {
    expect(await shop.call("PUT", "/v1/stamp-cards/x", body, firstVersion)).toMatchObject({
      status: 400,
      body: { code: "invalid_request" },
    });
  });

  test("are the owner's to change", async () => {
    const operator = await shop.as("operator");
    expect((await operator("PUT", "/v1/stamp-cards/coffee", coffee, { "if-match": "*" })).status).toBe(403);
    expect((await operator("GET", "/v1/stamp-cards")).status).toBe(200);
  });
});

describe("a customer's stamps", () => {
  test("nobody is known before the first order", async () => {
    expect((await shop.call("GET", "/v1/customers/ann/stamps")).status).toBe(404);
  });

  test("come with orders, and go with refunds; the reward stays", async () => {
    await shop.call("POST", "/v1/orders", order("o1", 5), at(2));
    await api.handle();
    const card = { ...coffee, cardId: "coffee", active: true, stamps: 1, rewards: 1, ahead: 0 };
    expect(await stampsOf()).toEqual({ data: [card], nextCursor: null });
    await shop.call("POST", "/v1/orders/o1/refunds", { customerId: "ann", refundId: "r1", lines: [{ line: 0, netMinor: 600 }] }, at(3));
    await api.handle();
    expect((await stampsOf())["data"]).toEqual([{ ...card, stamps: 3, rewards: 1, ahead: 1 }]);
  });

  test("are told in the inbox", async () => {
    const { body } = await shop.call("GET", "/v1/customers/ann/notifications");
    expect((body["data"] as { type: string }[]).filter(({ type }) => !type.startsWith("Tier"))).toMatchObject([
      {
        type: "RewardEarned",
        data: { orderId: "o1", cardId: "coffee", card: "Coffee card", rewards: 1, amountMinor: 300, currency: "EUR", stamps: 1 },
      },
      { type: "StampAdded", data: { orderId: "o1", added: 4, stamps: 1, size: 3, occurredAt: "2025-01-02T12:00:00.000Z" } },
    ]);
  });

  test("of a card that no longer counts are shown while there are some", async () => {
    await shop.call("PUT", "/v1/stamp-cards/coffee", { ...coffee, active: false }, { "if-match": "*" });
    await shop.call("POST", "/v1/orders", order("o2", 1), at(4));
    await shop.call("POST", "/v1/orders", order("o3", 1, "ben"), at(4));
    await api.handle();
    expect((await stampsOf())["data"]).toMatchObject([{ cardId: "coffee", active: false, stamps: 3 }]);
    expect(await stampsOf("ben")).toEqual({ data: [], nextCursor: null });
  });
});

describe("what the API knows of the program", () => {
  test("its counts, and its dead letters, which are read once more", async () => {
    const other = await api.merchant();
    await other.call("PUT", "/v1/stamp-cards/coffee", coffee, firstVersion);
    const dollars = { ...order("d1", 2), currency: "USD" };
    await other.call("POST", "/v1/orders", dollars, at(5));
    await api.handle();
    expect((await other.call("GET", "/v1/dev/counts")).body["stamps"]).toEqual({ events: 1, duplicates: 0, parked: 0 });
    const letters = (await other.call("GET", "/v1/dead-letters?program=stamps")).body["data"] as { id: string }[];
    expect(letters).toMatchObject([{ program: "stamps", reason: "currency_mismatch", event: { orderId: "d1" } }]);

    await other.call("PATCH", "/v1/merchant", { currency: "USD" });
    expect((await other.call("POST", `/v1/dead-letters/${letters[0]!.id}/redrive`)).status).toBe(202);
    expect((await other.call("GET", "/v1/customers/ann/stamps")).body["data"]).toMatchObject([{ stamps: 2 }]);
    const told = await api.sql<{ key: string }[]>`SELECT key FROM stamps.outbox WHERE key = ${`${other.merchantId}:ann`}`;
    expect(told).toHaveLength(1);
  });

  test("a merchant without cards leaves no row, not even for what is no order", async () => {
    const other = await api.merchant();
    await other.call("POST", "/v1/orders", order("n1", 5), at(5));
    await other.call("POST", "/v1/orders", { ...order("n2", 5), currency: "USD" }, at(5));
    await other.call("POST", "/v1/orders/n3/cancel", { customerId: "ann" }, at(5));
    await api.handle();
    expect((await other.call("GET", "/v1/dead-letters?program=stamps")).body["data"]).toEqual([]);
    expect((await other.call("GET", "/v1/dead-letters?program=tier")).body["data"]).toHaveLength(1);
    const [rows] = await api.sql`
      SELECT (SELECT count(*) FROM stamps."order" o JOIN merchant.merchant m ON m.id = o.merchant WHERE m.merchant_id = ${other.merchantId})
        + (SELECT count(*) FROM stamps.parked o JOIN merchant.merchant m ON m.id = o.merchant WHERE m.merchant_id = ${other.merchantId})
        + (SELECT count(*) FROM stamps.account o JOIN merchant.merchant m ON m.id = o.merchant WHERE m.merchant_id = ${other.merchantId}) AS n`;
    expect(Number(rows!["n"])).toBe(0);
  });
});
