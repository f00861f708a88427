import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { TestMerchant } from "./testing/api.ts";
import { at, campaign, ladder, startSystem, type TestSystem } from "./testing/system.ts";

/* Rules and commands. The steps of a describe block build on each other. */

let api: TestSystem;

beforeAll(async () => {
  api = await startSystem(inject("stack"));
}, 120_000);
afterAll(() => api?.stop());

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
    await api.handle();
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
    await api.handle();
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
    await api.handle();
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
    await api.handle();
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
