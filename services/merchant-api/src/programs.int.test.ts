import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openCommandGate } from "./command-gate.ts";
import { programs } from "./composition.ts";
import { corePrograms } from "./programs.ts";
import { startApi, type TestApi } from "./testing/api.ts";

/* What the API does for every program, however many there are, against progress rows that the test moves itself. */

let api: TestApi;

beforeAll(async () => {
  api = await startApi(inject("stack"));
}, 120_000);
afterAll(() => api?.stop());

const move = (program: string, offset: number) => api.sql.unsafe(`UPDATE ${program}.progress SET next_off = $1::int8`, [offset]);

test("settings that concern all programs hold from an offset that none of them has passed", async () => {
  for (const ahead of programs) {
    for (const program of programs) await move(program, program === ahead ? 50 : 5);
    const shop = await api.merchant();
    expect((await shop.call("PATCH", "/v1/merchant", { timeZone: "UTC" })).status).toBe(200);
    const [setting] = await api.sql<{ shared_from: string; cashback_from: string }[]>`
      SELECT s.shared_from, s.cashback_from FROM merchant.setting s JOIN merchant.merchant m ON m.id = s.merchant
      WHERE m.merchant_id = ${shop.merchantId} AND s.version = 2`;
    expect(setting, ahead).toMatchObject({ shared_from: "{50,50,50}", cashback_from: ahead === "cashback" ? "{50,50,50}" : "{5,5,5}" });
  }
});

test("commands of a program wait for that program, those of tier and cashback for both", async () => {
  for (const program of programs) await move(program, 0);
  const shop = await api.merchant();
  await shop.call("POST", "/v1/orders", { orderId: "o1", customerId: "c1", lines: [{ sku: "s", quantity: 1, netMinor: 1 }] });
  const commandsOpen = await openCommandGate(api.sql, api.deps.orderLog);
  for (const program of corePrograms) {
    expect(await commandsOpen()).toBe(false);
    expect(await commandsOpen(program)).toBe(false);
    await move(program, 1_000_000_000);
    expect(await commandsOpen(program)).toBe(true);
  }
  expect(await commandsOpen()).toBe(true);
});
