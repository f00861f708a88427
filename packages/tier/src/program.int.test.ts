import type { OrderEvent } from "@perkstream/contracts";
import { createMerchant, type Merchant, type MerchantClock, updateSettings } from "@perkstream/merchant";
import { withPartitions } from "@perkstream/program";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import {
  createLevels,
  customersByLevel,
  customerTier,
  forgetDueMoments,
  type LevelJson,
  listCustomerTiers,
  newestLadder,
  orderTierEffect,
  pendingEdits,
  previewLadder,
  putLadder,
  runTierCommand,
  type SettingsJson,
  tierCounts,
  tierHistory,
} from "./index.ts";
import { openStage, type OpenStage } from "./testing/stage.ts";

const PARTITIONS = [0, 1];
const SCOPE = { program: "tier", topic: "orders.v1" };
const at = (text: string): number => Date.parse(text);
const settings: SettingsJson = {
  metric: "net_spend",
  window: "rolling_days",
  days: 30,
  refundPolicy: "immediate",
  downgrade: "drop_to_qualified",
  graceDays: 0,
};
const base = (cashbackMultiplierBps: number): LevelJson => ({ id: "base", name: "Base", threshold: 0, cashbackMultiplierBps });
const gold = (cashbackMultiplierBps: number): LevelJson => ({ id: "gold", name: "Gold", threshold: 1_000, cashbackMultiplierBps });
const levels: readonly LevelJson[] = [base(10_000), gold(20_000)];

let stage: OpenStage;

beforeAll(async () => {
  stage = await openStage(inject("stack").postgresUrl, PARTITIONS.length);
});

afterAll(() => stage.close());

/** How many customers the largest transaction changed last. */
async function largestStep(merchant: Merchant): Promise<number> {
  const [row] = await stage.sql<{ n: number }[]>`SELECT max(n)::int AS n FROM (
    SELECT count(*) AS n FROM tier.account WHERE merchant = ${merchant.id} GROUP BY xmin::text) AS step`;
  return row?.n ?? 0;
}

async function shop(clock: MerchantClock = "real", timeZone = "UTC"): Promise<Merchant> {
  const merchant = await createMerchant(
    stage.sql,
    { merchantId: randomUUID(), name: "Shop", currency: "USD", timeZone, clock },
    { actor: "test", at: 0 },
  );
  if (merchant === null) throw new Error("the id is taken");
  return merchant;
}

function put(
  merchant: Merchant,
  expected: number | null,
  change: Partial<{ settings: SettingsJson; levels: readonly LevelJson[]; apply: "immediate" | "grandfather"; atMs: number }> = {},
) {
  const full = { settings, levels, apply: "immediate" as const, actor: "ann", atMs: at("2025-01-01T00:00:00Z"), ...change };
  return withPartitions(stage.sql, { ...SCOPE, partitions: PARTITIONS }, (context) => putLadder(context, merchant.id, expected, full));
}

let orders = 0;

function placed(merchant: Merchant, customerId: string, netMinor: number, time: string, partition = 0, orderId = `o${orders++}`) {
  const event: OrderEvent = {
    type: "OrderPlaced",
    merchantId: merchant.merchantId,
    customerId,
    orderId,
    occurredAt: at(time),
    currency: "USD",
    lines: [{ sku: "s", category: null, quantity: 1, netMinor: BigInt(netMinor) }],
    paidWithCashbackMinor: 0n,
  };
  return {
    partition,
    timestamp: at(time),
    key: Buffer.from(`${merchant.merchantId}:${customerId}`),
    value: stage.orderEncoder.encode(event),
  };
}

const seen = (merchant: Merchant, customerId: string, time: string) => customerTier(stage.sql, merchant, customerId, at(time));
const levelOf = async (merchant: Merchant, customerId: string) =>
  (await seen(merchant, customerId, "2025-02-01T00:00:00Z"))?.tier?.id ?? null;

describe("a ladder", () => {
  it("is version 0 without levels at first, and refuses a stale version", async () => {
    const merchant = await shop();
    expect(await newestLadder(stage.sql, merchant.id)).toEqual({ version: 0, settings: { ...settings, days: 365 }, levels: [] });
    expect(await put(merchant, 0)).toEqual({ version: 1, settings, levels });
    expect(await put(merchant, 0)).toEqual({ staleVersion: 1 });
    expect(await put(merchant, null)).toMatchObject({ version: 2 });
    expect(await newestLadder(stage.sql, merchant.id)).toEqual({ version: 2, settings, levels });
  });

  it("reaches customers of the time before it, in bounded steps that go on after a restart", async () => {
    const merchant = await shop("manual");
    const names = Array.from({ length: 1_200 }, (_, i) => `c${String(i).padStart(4, "0")}`);
    await stage.driver.feed(names.map((name, i) => placed(merchant, name, i % 2 === 0 ? 2_000 : 5, "2025-01-05T00:00:00Z", i % 2)));
    expect(await customersByLevel(stage.sql, merchant)).toEqual([{ levelId: null, customers: 1_200 }]);
    expect(
      await previewLadder(stage.sql, merchant, { settings, levels, apply: "immediate", actor: "ann", atMs: at("2025-01-06T00:00:00Z") }),
    ).toEqual({ up: 1_200, down: 0, stay: 0 });
    await put(merchant, 0, { atMs: at("2025-01-06T00:00:00Z") });
    expect(await pendingEdits(stage.sql, merchant)).toEqual(PARTITIONS);
    await stage.restart();
    // One customer comes before the sweep does.
    await stage.driver.feed([placed(merchant, "c0001", 2_000, "2025-01-07T00:00:00Z", 1)]);
    expect(await levelOf(merchant, "c0001")).toBe("gold");
    expect(await levelOf(merchant, "c0003")).toBeNull();
    await stage.driver.sweep(at("2025-01-08T00:00:00Z"));
    expect(await pendingEdits(stage.sql, merchant)).toEqual([]);
    expect(await largestStep(merchant)).toBeLessThanOrEqual(500);
    const counts = new Map((await customersByLevel(stage.sql, merchant)).map(({ levelId, customers }) => [levelId, customers]));
    expect(counts).toEqual(
      new Map([
        ["base", 599],
        ["gold", 601],
      ]),
    );
    expect(await tierHistory(stage.sql, merchant, "c0001", { limit: 10 })).toMatchObject([
      { from: "base", to: "gold", reason: "order", seq: 2 },
      { from: null, to: "base", reason: "rules_changed", actor: "ann", asOf: at("2025-01-06T00:00:00Z"), ruleVersion: 1, seq: 1 },
    ]);
    const notices = stage.notices().filter(({ key }) => key.startsWith(merchant.merchantId));
    expect(notices).toHaveLength(1_201);
    expect(new Set(notices.map(({ id }) => id)).size).toBe(1_201);
  });
});

describe("time", () => {
  it("passes in the background for merchants with a real clock only, and for one alone when asked", async () => {
    const real = await shop();
    const manual = await shop("manual");
    for (const merchant of [real, manual]) {
      await put(merchant, 0);
      await stage.driver.feed([placed(merchant, "anna", 5_000, "2025-01-05T00:00:00Z")]);
    }
    await stage.driver.sweep(at("2025-02-03T23:59:59.999Z"));
    expect(await levelOf(real, "anna")).toBe("gold");
    await stage.driver.sweep(at("2025-02-04T00:00:00Z"));
    expect(await levelOf(real, "anna")).toBe("base");
    expect(await levelOf(manual, "anna")).toBe("gold");
    await stage.driver.sweep(at("2025-02-04T00:00:00Z"), manual.merchantId);
    expect(await levelOf(manual, "anna")).toBe("base");
    expect(stage.driver.applied.at(-1)).toMatchObject({ kind: "sweep", asOf: at("2025-02-04T00:00:00Z"), detail: null });
  });

  it.each([
    ["in the background", "real", false],
    ["while records wait", "real", true],
    ["for one merchant", "manual", false],
  ] as const)("passes %s in bounded steps, also where much is due at one instant", async (_name, clock, backlog) => {
    const merchant = await shop(clock);
    await put(merchant, 0);
    await stage.driver.feed(Array.from({ length: 1_100 }, (_, i) => placed(merchant, `c${i}`, 5_000, "2025-01-05T00:00:00Z")));
    await stage.driver.feed([placed(merchant, "later", 1, "2025-02-04T00:00:00Z")]);
    const before = stage.driver.applied.length;
    await stage.driver.sweep(at("2025-02-04T00:00:00Z"), clock === "manual" ? merchant.merchantId : null, backlog);
    expect(stage.driver.applied.length - before).toBe(1_100);
    expect(await largestStep(merchant)).toBeLessThanOrEqual(500);
  });

  it("goes no further than what was read of the merchant's own records while others wait", async () => {
    const [behind, ahead] = [await shop(), await shop()];
    for (const merchant of [behind, ahead]) {
      await put(merchant, 0);
      await stage.driver.feed([placed(merchant, "anna", 5_000, "2025-01-05T00:00:00Z")]);
    }
    await stage.driver.feed([placed(ahead, "bob", 1, "2025-02-04T00:00:00Z")]);
    await stage.driver.sweep(at("2025-03-01T00:00:00Z"), null, true);
    expect(await levelOf(behind, "anna")).toBe("gold");
    expect(await levelOf(ahead, "anna")).toBe("base");
    await stage.driver.sweep(at("2025-03-01T00:00:00Z"));
    expect(await levelOf(behind, "anna")).toBe("base");
  });

  it("finds an open validity's true end without an event, and says nothing", async () => {
    const merchant = await shop();
    await put(merchant, 0);
    await stage.driver.feed([placed(merchant, "anna", 1_000, "2025-01-05T00:00:00Z")]);
    await stage.driver.feed([placed(merchant, "anna", 1_000, "2025-01-20T00:00:00Z")]);
    expect((await seen(merchant, "anna", "2025-01-20T00:00:00Z"))?.tier?.validUntil).toBe("2025-02-19");
    const before = stage.notices().length;
    await stage.driver.sweep(at("2025-02-10T00:00:00Z"));
    expect(stage.notices()).toHaveLength(before);
    const [row] = await stage.sql<
      { due_at: Date; valid_open: boolean }[]
    >`SELECT due_at, valid_open FROM tier.account WHERE merchant = ${merchant.id}`;
    expect(row).toEqual({ due_at: new Date("2025-02-19T00:00:00Z"), valid_open: false });
  });

  it("goes by the new time zone after a change of it", async () => {
    const merchant = await shop();
    await put(merchant, 0);
    await stage.driver.feed([placed(merchant, "anna", 1_000, "2025-01-05T12:00:00Z")]);
    const changed = await withPartitions(stage.sql, { ...SCOPE, partitions: PARTITIONS }, async ({ tx, progress }) => {
      const from = PARTITIONS.map((partition) => progress.get(partition)!.nextOffset);
      await forgetDueMoments(tx, merchant.id);
      return updateSettings(
        tx,
        merchant.merchantId,
        { timeZone: "America/New_York" },
        { shared: from, cashback: from },
        { actor: "ann", at: 0 },
      );
    });
    expect(changed).not.toBeNull();
    await stage.driver.sweep(at("2025-02-04T04:59:59Z"));
    expect(await levelOf(merchant, "anna")).toBe("gold");
    await stage.driver.sweep(at("2025-02-04T05:00:00Z"));
    expect(await levelOf(merchant, "anna")).toBe("base");
  });
});

describe("levels for cashback", () => {
  it("are those before the order, in the ladder of its offset, whoever is ahead", async () => {
    const merchant = await shop();
    const levelsPort = createLevels();
    const first = stage.driver.nextOffset(0);
    await put(merchant, 0);
    await stage.driver.feed([
      placed(merchant, "anna", 1_000, "2025-01-05T00:00:00Z"),
      placed(merchant, "anna", 1, "2025-01-06T00:00:00Z"),
      placed(merchant, "ben", 1, "2025-01-06T00:00:00Z"),
    ]);
    const ask = (customerId: string, offset: number) => ({ merchant: merchant.id, customerId, partition: 0, offset });
    const questions = [ask("anna", first), ask("anna", first + 1), ask("ben", first + 2), ask("nobody", first + 2)];
    const answers = [
      { levelId: null, multiplierBps: 10_000 },
      { levelId: "gold", multiplierBps: 20_000 },
      { levelId: null, multiplierBps: 10_000 },
      { levelId: null, multiplierBps: 10_000 },
    ];
    expect(await levelsPort.levelsAt(stage.sql, questions)).toEqual(answers);
    expect((await levelsPort.progress(stage.sql)).get(0)).toBe(first + 3);
    // A new multiplier holds from the next offset; what was due before an order holds from its own.
    await put(merchant, 1, { levels: [base(10_001), gold(20_001)] });
    await stage.driver.feed([placed(merchant, "ben", 1, "2025-01-07T00:00:00Z"), placed(merchant, "anna", 1, "2025-03-01T00:00:00Z")]);
    expect(
      await levelsPort.levelsAt(stage.sql, [...questions, ask("ben", first + 3), ask("anna", first + 4), ask("anna", first + 3)]),
    ).toEqual([
      ...answers,
      { levelId: "base", multiplierBps: 10_001 },
      { levelId: "base", multiplierBps: 10_001 },
      { levelId: "gold", multiplierBps: 20_001 },
    ]);
    expect(await levelsPort.levelsAt(stage.sql, [])).toEqual([]);
  });
});

describe("reading", () => {
  it("lists customers by byte order and level, shows histories by pages, effects of orders and counts", async () => {
    const merchant = await shop();
    await put(merchant, 0);
    const first = placed(merchant, "B", 1_000, "2025-01-05T00:00:00Z", 0, "first");
    await stage.driver.feed([
      first,
      first,
      placed(merchant, "a", 1, "2025-01-05T00:00:00Z"),
      placed(merchant, "Ä", 5_000, "2025-01-05T00:00:00Z", 1),
    ]);
    const page = (options: { tier?: string; after?: string }) =>
      listCustomerTiers(stage.sql, merchant, { ...options, limit: 2 }, at("2025-01-06T00:00:00Z")).then((list) =>
        list.map(({ customerId }) => customerId),
      );
    expect(await page({})).toEqual(["B", "a"]);
    expect(await page({ after: "a" })).toEqual(["Ä"]);
    expect(await page({ tier: "gold" })).toEqual(["B", "Ä"]);
    expect(await seen(merchant, "B", "2025-01-06T00:00:00Z")).toEqual({
      customerId: "B",
      tier: { id: "gold", name: "Gold", since: at("2025-01-05T00:00:00Z"), validUntil: "2025-02-04", pinned: false },
      metric: 1_000,
      lastPeriodMetric: null,
      nextTier: null,
    });
    expect(await seen(merchant, "a", "2025-03-06T00:00:00Z")).toMatchObject({
      metric: 0,
      nextTier: { id: "gold", name: "Gold", missing: 1_000 },
    });
    expect(await seen(merchant, "nobody", "2025-01-06T00:00:00Z")).toBeNull();
    expect(await orderTierEffect(stage.sql, merchant, "first")).toEqual({ before: null, after: "gold" });
    expect(await orderTierEffect(stage.sql, merchant, "other")).toBeNull();
    expect(await tierCounts(stage.sql, merchant.merchantId)).toEqual({ events: 4, duplicates: 1, parked: 0 });
    expect(await tierHistory(stage.sql, merchant, "B", { limit: 1, before: 1 })).toEqual([]);
    expect(await tierHistory(stage.sql, merchant, "nobody", { limit: 1 })).toBeNull();
  });
});

describe("commands", () => {
  const run = (merchant: Merchant, customerId: string, command: Parameters<typeof runTierCommand>[3], time: string) =>
    withPartitions(stage.sql, { ...SCOPE, partitions: [0] }, (context) =>
      runTierCommand(context, stage.codec.encoder, { merchant, customerId, partition: 0 }, command, {
        id: randomUUID(),
        actor: "ann",
        atMs: at(time),
      }),
    );

  it("make a customer known when accepted, and nothing when refused", async () => {
    const merchant = await shop();
    await put(merchant, 0);
    expect(await run(merchant, "anna", { kind: "unpin" }, "2025-01-05T00:00:00Z")).toEqual({ refused: "not_pinned" });
    expect(await run(merchant, "anna", { kind: "demote", note: "", untilAt: null }, "2025-01-05T00:00:00Z")).toEqual({
      refused: "no_such_level",
    });
    expect(await run(merchant, "anna", { kind: "pin", levelId: "none", note: "", untilAt: null }, "2025-01-05T00:00:00Z")).toEqual({
      refused: "unknown_level",
    });
    expect(await seen(merchant, "anna", "2025-01-06T00:00:00Z")).toBeNull();
    expect(await run(merchant, "anna", { kind: "promote", note: "hello", untilAt: null }, "2025-01-05T00:00:00Z")).toEqual({ done: true });
    expect(await seen(merchant, "anna", "2025-01-06T00:00:00Z")).toMatchObject({
      tier: { id: "base", pinned: true, validUntil: null },
      metric: 0,
    });
  });

  /** What was stored of a merchant's customers and edits, in the order of replay. */
  const appliedOf = async (merchant: Merchant) => {
    const rows = await stage.sql<{ n: bigint; off: bigint; kind: string; customer: bigint; as_of: Date; detail: object | null }[]>`
      SELECT n, off, kind, customer, as_of, detail FROM tier.applied a
      WHERE part = 0 AND (customer IN (SELECT acct FROM tier.account WHERE merchant = ${merchant.id}) OR (detail ->> 'merchant')::int = ${merchant.id})
      ORDER BY off, n`;
    expect(rows.map(({ n }) => n)).toEqual(rows.map(({ n }) => n).toSorted((a, b) => Number(a - b)));
    return rows.map(({ kind, customer, as_of, detail }) => ({ kind, known: customer !== 0n, asOf: as_of.toISOString(), detail }));
  };

  it("are stored with sweeps and edits in one order, refused ones too", async () => {
    const merchant = await shop("manual");
    await put(merchant, 0);
    await stage.driver.feed([placed(merchant, "anna", 1_000, "2025-01-05T00:00:00Z")]);
    await run(merchant, "anna", { kind: "pin", levelId: "base", note: "why", untilAt: at("2025-02-01T00:00:00Z") }, "2025-01-06T00:00:00Z");
    await stage.driver.sweep(at("2025-02-02T00:00:00Z"), merchant.merchantId);
    await run(merchant, "anna", { kind: "unpin" }, "2025-02-03T00:00:00Z");
    await put(merchant, 1, { levels: [gold(30_000)], atMs: at("2025-02-03T12:00:00Z") });
    await stage.driver.sweep(0);
    await run(merchant, "anna", { kind: "demote", note: "down", untilAt: null }, "2025-02-04T00:00:00Z");
    await run(merchant, "anna", { kind: "promote", note: "up", untilAt: null }, "2025-02-05T00:00:00Z");
    const by = { id: expect.any(String) as string, actor: "ann" };
    expect(await appliedOf(merchant)).toEqual([
      { kind: "ladder", known: false, asOf: "2025-01-01T00:00:00.000Z", detail: { merchant: merchant.id, version: 1 } },
      {
        kind: "pin",
        known: true,
        asOf: "2025-01-06T00:00:00.000Z",
        detail: { ...by, levelId: "base", note: "why", untilAt: at("2025-02-01T00:00:00Z") },
      },
      { kind: "sweep", known: true, asOf: "2025-02-02T00:00:00.000Z", detail: null },
      { kind: "unpin", known: true, asOf: "2025-02-03T00:00:00.000Z", detail: { ...by, refused: "not_pinned" } },
      { kind: "ladder", known: false, asOf: "2025-02-03T12:00:00.000Z", detail: { merchant: merchant.id, version: 2 } },
      { kind: "edit", known: true, asOf: "2025-02-03T12:00:00.000Z", detail: { from: 1, to: 2 } },
      {
        kind: "demote",
        known: true,
        asOf: "2025-02-04T00:00:00.000Z",
        detail: { ...by, note: "down", untilAt: null, refused: "no_such_level" },
      },
      { kind: "promote", known: true, asOf: "2025-02-05T00:00:00.000Z", detail: { ...by, note: "up", untilAt: null } },
    ]);
  });

  it("move the last as-of when they are refused and nothing was due, also of somebody nobody knows", async () => {
    const merchant = await shop("manual");
    await put(merchant, 0);
    await stage.driver.feed([placed(merchant, "anna", 1_000, "2025-01-05T00:00:00Z")]);
    for (const customerId of ["anna", "stranger"]) {
      expect(await run(merchant, customerId, { kind: "unpin" }, "2025-01-20T00:00:00Z")).toEqual({ refused: "not_pinned" });
    }
    // An edit in between does not forget it.
    await put(merchant, 1, { levels: [base(10_000)], atMs: at("2025-01-06T00:00:00Z") });
    const orders = ["anna", "stranger"].map((customerId) => placed(merchant, customerId, 1, "2025-01-07T00:00:00Z"));
    await stage.driver.feed(orders);
    const lastAsOf = await stage.sql<{ customer_id: string; last_as_of: Date }[]>`
      SELECT customer_id, last_as_of FROM tier.account WHERE merchant = ${merchant.id} ORDER BY customer_id`;
    const moved = new Date("2025-01-20T00:00:00Z");
    expect(lastAsOf).toEqual([
      { customer_id: "anna", last_as_of: moved },
      { customer_id: "stranger", last_as_of: moved },
    ]);
  });

  it("apply what is due first, and keep it when they are refused", async () => {
    const merchant = await shop("manual");
    await put(merchant, 0);
    await stage.driver.feed([placed(merchant, "anna", 1_000, "2025-01-05T00:00:00Z")]);
    expect(await run(merchant, "anna", { kind: "demote", note: "", untilAt: null }, "2025-03-01T00:00:00Z")).toEqual({
      refused: "no_such_level",
    });
    expect(await tierHistory(stage.sql, merchant, "anna", { limit: 1 })).toMatchObject([
      { from: "gold", to: "base", reason: "period_end", asOf: at("2025-02-04T00:00:00Z") },
    ]);
    // A pin of the held level changes no level; it holds all the same.
    expect(
      await run(merchant, "anna", { kind: "pin", levelId: "base", note: "", untilAt: at("2025-04-01T00:00:00Z") }, "2025-03-02T00:00:00Z"),
    ).toEqual({ done: true });
    await stage.driver.feed([placed(merchant, "anna", 9_000, "2025-03-30T00:00:00Z")]);
    expect(await levelOf(merchant, "anna")).toBe("base");
    await stage.driver.sweep(at("2025-04-01T00:00:00Z"), merchant.merchantId);
    expect(await tierHistory(stage.sql, merchant, "anna", { limit: 1 })).toMatchObject([
      { from: "base", to: "gold", reason: "unpinned", actor: "ann" },
    ]);
  });
});
