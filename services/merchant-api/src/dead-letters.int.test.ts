import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { at, startSystem, type TestSystem } from "./testing/system.ts";

let api: TestSystem;

beforeAll(async () => {
  api = await startSystem(inject("stack"));
}, 120_000);
afterAll(() => api?.stop());

describe("dead letters", () => {
  test("both programs keep one of the same record; reasons and programs filter; pages go on", async () => {
    const shop = await api.merchant();
    const bad = { orderId: "o", customerId: "c", currency: "JPY", lines: [{ sku: "s", quantity: 1, netMinor: 1 }] };
    await shop.call("POST", "/v1/orders", bad, at(1));
    await shop.call("POST", "/v1/orders/p/cancel", { customerId: "c" }, at(1));
    await api.handle();
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
    await api.tier.feed([record, { ...record, key: Buffer.of(0xff), value: Buffer.from("junk") }]);
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
