import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { startApi, type TestApi, type TestMerchant } from "./testing/api.ts";

let api: TestApi;
let shop: TestMerchant;

beforeAll(async () => {
  api = await startApi(inject("stack"));
  shop = await api.merchant();
}, 120_000);
afterAll(() => api?.stop());

const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/);

describe("merchants", () => {
  test("the development merchant is there", async () => {
    const { body } = await api.call("POST", "/v1/dev/sign-in", {});
    expect(body).toMatchObject({ merchantId: "4f981b0b-accf-4eb7-8018-7cd651c7e907" });
    const shown = await api.call("GET", "/v1/merchant", undefined, { authorization: `Bearer ${String(body["token"])}` });
    expect(shown.body).toMatchObject({
      currency: "USD",
      timeZone: "UTC",
      clawbackPolicy: "allow_negative",
      expiringNoticeDays: 0,
      clock: "real",
    });
  });

  test("one is made with its first owner key, and only with the bootstrap key", async () => {
    expect(shop.merchantId).toEqual(uuid);
    const shown = await api.call("GET", "/v1/merchant", undefined, { "x-api-key": shop.apiKey });
    expect(shown).toMatchObject({
      status: 200,
      body: { merchantId: shop.merchantId, currency: "EUR", timeZone: "Europe/Berlin", clock: "manual" },
    });
    expect((await shop.call("POST", "/v1/merchants", { name: "x", currency: "EUR", timeZone: "UTC" })).status).toBe(403);
    expect(
      (await api.call("POST", "/v1/merchants", { name: "x", currency: "EUR", timeZone: "Mars/Base" }, { "x-api-key": "development" })).body,
    ).toMatchObject({
      code: "invalid_request",
      errors: [{ path: "timeZone" }],
    });
  });

  test("a repeat of its creation does not show the key again", async () => {
    const headers = { "x-api-key": "development", "idempotency-key": randomUUID() };
    const body = { name: "Twice", currency: "EUR", timeZone: "UTC" };
    const first = await api.call("POST", "/v1/merchants", body, headers);
    const again = await api.call("POST", "/v1/merchants", body, headers);
    expect(first.status).toBe(201);
    expect(again).toMatchObject({ status: 409, body: { code: "id_taken" } });
    expect(String(again.body["detail"])).toContain(String(first.body["merchantId"]));
    expect(JSON.stringify(again.body)).not.toContain(String(first.body["apiKey"]));
  });

  test("settings change by PATCH, and the change is audited", async () => {
    const changed = await shop.call("PATCH", "/v1/merchant", { expiringNoticeDays: 7, name: null, clawbackPolicy: "clamp_to_zero" });
    expect(changed).toMatchObject({
      status: 200,
      body: { expiringNoticeDays: 7, clawbackPolicy: "clamp_to_zero", timeZone: "Europe/Berlin" },
    });
    expect((await shop.call("GET", "/v1/merchant")).body).toEqual(changed.body);
    expect((await shop.call("PATCH", "/v1/merchant", { currency: "GBP" })).body).toMatchObject({ currency: "GBP" });
    const { body: audit } = await shop.call("GET", "/v1/audit");
    expect(audit).toMatchObject({
      data: [
        { action: "merchant.update", actor: "owner-sub", before: { currency: "EUR" }, after: { currency: "GBP" } },
        { action: "merchant.update", actor: "owner-sub", before: { expiringNoticeDays: 0 }, after: { expiringNoticeDays: 7 } },
        { action: "merchant.create", actor: "bootstrap", before: null },
      ],
      nextCursor: null,
    });
    const first = await shop.call("GET", "/v1/audit?limit=2");
    expect((await shop.call("GET", `/v1/audit?cursor=${String(first.body["nextCursor"])}`)).body).toMatchObject({
      data: [{ action: "merchant.create" }],
    });
    expect((await (await shop.as("operator"))("PATCH", "/v1/merchant", { name: "x" })).status).toBe(403);
  });

  test("a token of a merchant that is not there is 401, sign-in 404", async () => {
    const merchantId = randomUUID();
    const token = await api.deps.authenticator.tokens.signMerchant({
      merchantId,
      role: "owner",
      sub: "x",
      ttlSeconds: 60,
      nowMs: Date.now(),
    });
    expect((await api.call("GET", "/v1/merchant", undefined, { authorization: `Bearer ${token}` })).status).toBe(401);
    expect((await api.call("POST", "/v1/dev/sign-in", { merchantId })).status).toBe(404);
  });
});

describe("API keys", () => {
  test("are made, listed without the secret, revoked", async () => {
    const own = await api.merchant();
    const made = await own.call("POST", "/v1/api-keys", { name: "till", role: "operator" });
    expect(made).toMatchObject({ status: 201, body: { id: uuid, name: "till", role: "operator", revokedAt: null } });
    const key = { "x-api-key": String(made.body["apiKey"]) };
    expect((await api.call("GET", "/v1/merchant", undefined, key)).status).toBe(200);
    expect((await api.call("PATCH", "/v1/merchant", { name: "x" }, key)).status).toBe(403);
    const page = await own.call("GET", "/v1/api-keys?limit=1");
    expect(page.body).toMatchObject({ data: [{ name: "till" }] });
    const rest = await own.call("GET", `/v1/api-keys?limit=1&cursor=${String(page.body["nextCursor"])}`);
    expect(rest.body).toMatchObject({ data: [{ name: "owner" }], nextCursor: null });
    expect(JSON.stringify(page.body)).not.toContain(key["x-api-key"]);
    const viewer = await own.as("viewer");
    for (const path of ["/v1/api-keys", "/v1/audit"]) expect((await viewer("GET", path)).status).toBe(200);
    expect((await viewer("POST", "/v1/api-keys", { name: "mine", role: "owner" })).status).toBe(403);
    expect((await own.call("DELETE", `/v1/api-keys/${String(made.body["id"])}`)).status).toBe(204);
    expect((await api.call("GET", "/v1/merchant", undefined, key)).status).toBe(401);
    expect((await shop.call("DELETE", `/v1/api-keys/${String(made.body["id"])}`)).status).toBe(404);
  });
});

describe("orders", () => {
  const order = () => ({ orderId: randomUUID(), customerId: "c1", lines: [{ sku: "a", quantity: 1, netMinor: 1_999 }] });

  test("an order is in Kafka when it is answered", async () => {
    const sent = order();
    const answer = await shop.call("POST", "/v1/orders", sent, { "perks-now": "2025-01-10T12:00:00Z" });
    expect(answer.status).toBe(202);
    const last = api.appended.at(-1)!;
    expect(answer.body).toEqual({ orderId: sent.orderId, partition: last.partition, offset: last.offset });
    expect(last).toMatchObject({
      timestamp: Date.UTC(2025, 0, 10, 12),
      event: {
        type: "OrderPlaced",
        merchantId: shop.merchantId,
        occurredAt: Date.UTC(2025, 0, 10, 12),
        currency: "GBP",
        paidWithCashbackMinor: 0n,
      },
    });
    expect((await api.deps.orderLog.ends("orders.v1")).get(last.partition)).toBeGreaterThan(last.offset);
  });

  test("the same id again without occurredAt has the first one's", async () => {
    const sent = order();
    await shop.call("POST", "/v1/orders", sent, { "perks-now": "2025-01-10T12:00:00Z" });
    await shop.call("POST", "/v1/orders", sent, { "perks-now": "2025-01-10T13:00:00Z" });
    const [first, second] = api.appended.slice(-2);
    expect(second?.event).toEqual(first?.event);
    expect(second?.timestamp).toBe(Date.UTC(2025, 0, 10, 13));
  });

  test("refunds and cancellations", async () => {
    const refund = await shop.call("POST", "/v1/orders/o%2F1/refunds", {
      customerId: "c1",
      refundId: "r1",
      lines: [{ line: 0, netMinor: 5 }],
    });
    expect(refund).toMatchObject({ status: 202, body: { orderId: "o/1", refundId: "r1" } });
    expect(api.appended.at(-1)?.event).toMatchObject({ type: "OrderRefunded", orderId: "o/1", lines: [{ line: 0, netMinor: 5n }] });
    expect((await shop.call("POST", "/v1/orders/o1/cancel", { customerId: "c1", reason: null })).status).toBe(202);
    expect(api.appended.at(-1)?.event).toMatchObject({ type: "OrderCancelled", reason: null });
  });

  test("a batch has a result per order, bad ones too", async () => {
    const [a, b] = [order(), order()];
    const { status, body } = await shop.call("POST", "/v1/orders/batch", {
      orders: [a, { orderId: "x" }, b, { ...order(), redemptionId: randomUUID() }],
    });
    expect(status).toBe(200);
    expect(body["results"]).toMatchObject([
      { status: 202, orderId: a.orderId, error: null },
      { status: 400, orderId: "x", error: { code: "invalid_request" } },
      { status: 202, orderId: b.orderId },
      { status: 404, error: { code: "not_found" } },
    ]);
  });

  test("Idempotency-Key: one append, the same answer, also when two arrive at once", async () => {
    const sent = order();
    const headers = { "idempotency-key": randomUUID() };
    const before = api.appended.length;
    const answers = await Promise.all([1, 2, 3].map(() => shop.call("POST", "/v1/orders", sent, headers)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(api.appended.length).toBe(before + 1);
    expect(await shop.call("POST", "/v1/orders", order(), headers)).toMatchObject({
      status: 422,
      body: { code: "idempotency_key_reused" },
    });
    const other = await (await shop.as("operator"))("POST", "/v1/orders", sent, headers);
    expect(other.status).toBe(202); // another credential's key is another one
    expect(api.appended.length).toBe(before + 2);
  });

  test.each([
    ["no lines", { lines: [] }, "lines"],
    ["a negative amount", { lines: [{ sku: "a", quantity: 1, netMinor: -1 }] }, "lines.0.netMinor"],
    ["an amount beyond 2^53", { lines: [{ sku: "a", quantity: 1, netMinor: 2 ** 53 }] }, "lines.0.netMinor"],
    ["no quantity", { lines: [{ sku: "a", quantity: 0, netMinor: 1 }] }, "lines.0.quantity"],
    ["an id of 65 characters", { orderId: "x".repeat(65) }, "orderId"],
    ["U+0000", { customerId: "a\u0000" }, "customerId"],
    ["half a surrogate pair", { customerId: "\ud800" }, "customerId"],
    ["a time before 1970", { occurredAt: "1969-12-31T23:59:59Z" }, "occurredAt"],
    ["a time without zone", { occurredAt: "2025-01-01T00:00:00" }, "occurredAt"],
    ["a currency that is none", { currency: "euro" }, "currency"],
  ])("%s is 400", async (_name, change, path) => {
    const answer = await shop.call("POST", "/v1/orders", { ...order(), ...change });
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request", errors: [{ path }] } });
  });
});
