import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { programs } from "./composition.ts";
import { startApi, type TestApi, type TestMerchant } from "./testing/api.ts";

/* Settle and sweep against progress rows that the test moves itself, in place of running programs. */

let api: TestApi;
let shop: TestMerchant;

beforeAll(async () => {
  api = await startApi(inject("stack"));
  shop = await api.merchant();
  // Others share the broker: the inbox counts as being beyond whatever they publish.
  await api.sql`UPDATE inbox.progress SET next_off = 1000000000`;
}, 120_000);
afterAll(() => api?.stop());

const settle = (body: object = {}) => shop.call("POST", "/v1/dev/settle", { timeoutSeconds: 0.3, ...body });
const move = (program: string, set: string) => api.sql.unsafe(`UPDATE ${program}.progress SET ${set}`);

describe("settle", () => {
  test("nothing sent: settled at once", async () => {
    expect(await settle()).toMatchObject({ status: 200, body: {} });
    expect(await shop.call("POST", "/v1/dev/settle")).toMatchObject({ status: 200 });
  });

  test("waits for every program, then their outboxes, then the inbox, and names what is behind", async () => {
    const positions = [
      { partition: 0, offset: 4 },
      { partition: 0, offset: 2 },
    ];
    for (const program of programs) {
      expect((await settle({ positions })).body["detail"]).toBe(`${program} is at 0 of partition 0, before 4`);
      await move(program, "next_off = 5");
    }
    await move("tier", "out_seq = 2");
    expect((await settle({ positions })).body["detail"]).toMatch(/^tier has published 0 of 2 notifications of partition \d$/);
    const waiting = settle({ positions, timeoutSeconds: 20 });
    await sleep(50);
    await move("tier", "published = 2");
    expect(await waiting).toMatchObject({ status: 200 });
  });

  test("waits for a ladder edit to reach every customer, and not where there is none", async () => {
    const put = (threshold: number) =>
      shop.call("PUT", "/v1/tiers", { levels: [{ id: "a", name: "A", threshold, cashbackMultiplierBps: 10_000 }] }, { "if-match": "*" });
    expect(await put(0)).toMatchObject({ status: 200 });
    // Nobody sweeps here: the edit stays marked in every partition, and concerns nobody.
    expect(await settle()).toMatchObject({ status: 200 });
    expect(await shop.call("PUT", "/v1/customers/c1/pin", { levelId: "a", reason: "test" })).toMatchObject({ status: 200 });
    await move("tier", "published = out_seq");
    expect(await settle()).toMatchObject({ status: 200 });

    expect(await put(5)).toMatchObject({ status: 200 });
    const partition = api.deps.partitionOf(shop.merchantId, "c1");
    const { status, body } = await settle();
    expect({ status, retryable: body["retryable"], detail: body["detail"] }).toEqual({
      status: 504,
      retryable: true,
      detail: `the ladder edit is not applied to all customers of partition ${partition}`,
    });
    await api.sql`UPDATE tier.account SET ladder_version = 2`;
    expect((await settle()).status).toBe(200);
  });

  test("bounds", async () => {
    expect((await settle({ timeoutSeconds: 121 })).status).toBe(400);
    expect((await settle({ positions: [{ partition: -1, offset: 0 }] })).status).toBe(400);
  });
});

describe("sweep", () => {
  test("asks the owner of every partition of every program, and waits for them", async () => {
    const asked = shop.call("POST", "/v1/dev/sweep", { at: "2025-03-01T00:00:00Z" });
    const seen: { program: string; part: number; at: Date; scope: string }[] = [];
    while (seen.length < programs.length * api.partitions) {
      for (const program of programs) {
        const rows = await api.sql.unsafe<{ part: number; at: Date; scope: string }[]>(
          `UPDATE ${program}.sweep_request SET done = true WHERE NOT done RETURNING part, at, scope`,
        );
        seen.push(...rows.map((row) => ({ ...row, program })));
      }
      await sleep(10);
    }
    expect(await asked).toMatchObject({ status: 200, body: {} });
    expect(new Set(seen.map(({ program, part }) => `${program}/${part}`)).size).toBe(programs.length * api.partitions);
    for (const { at, scope } of seen) expect([at.toISOString(), scope]).toEqual(["2025-03-01T00:00:00.000Z", shop.merchantId]);
    for (const program of programs) expect(await api.sql.unsafe(`SELECT 1 FROM ${program}.sweep_request`)).toHaveLength(0);
  });

  test("viewers may not", async () => {
    expect((await (await shop.as("viewer"))("POST", "/v1/dev/sweep", { at: "2025-03-01T00:00:00Z" })).status).toBe(403);
  });
});
