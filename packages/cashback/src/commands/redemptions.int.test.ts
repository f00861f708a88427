import { fixedRegistry, openNotificationEncoder, openOrderDecoder, openOrderEncoder, topics } from "@perkstream/contracts";
import { createMerchant, type Merchant, migrations as merchantMigrations } from "@perkstream/merchant";
import { openSql, type Sql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { type CommandContext, createDriver, type Driver, withPartitions } from "@perkstream/program";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { migrations } from "../migrations.ts";
import { createCashbackProgram } from "../program.ts";
import { definitionOf } from "../testing/campaigns.ts";
import { tierOf } from "../testing/tier.ts";
import { createCampaign } from "./campaigns.ts";
import { createRedemptionCommands, type RedemptionCommands } from "./redemptions.ts";

const day = (number: number) => Date.UTC(2025, 0, number);
const SCOPE = { program: "cashback", topic: topics.orders, partitions: [0] };

let database: TestDatabase;
let sql: Sql;
let commands: RedemptionCommands;
let driver: Driver;
let encode: Awaited<ReturnType<typeof openOrderEncoder>>["encode"];

beforeAll(async () => {
  database = await testDatabase(inject("stack").postgresUrl, [merchantMigrations, migrations]);
  sql = openSql(database.url, { max: 3, applicationName: "cashback-commands" });
  const registry = fixedRegistry();
  const decoder = openOrderDecoder(registry);
  const encoder = await openNotificationEncoder(registry);
  const orders = await openOrderEncoder(registry);
  encode = (event) => orders.encode(event);
  commands = createRedemptionCommands({ decoder, encoder });
  const tier = tierOf({
    progress: () => Promise.resolve(new Map([[0, Number.MAX_SAFE_INTEGER]])),
    levelsAt: (_sql, queries) => Promise.resolve(queries.map(() => ({ levelId: null, multiplierBps: 10_000 }))),
  });
  driver = await createDriver(createCashbackProgram({ decoder, encoder, tier, sql }), sql, 1);
});

afterAll(async () => {
  await sql.end();
  await database.drop();
});

const locked = <T>(run: (context: CommandContext) => Promise<T>) => withPartitions(sql, SCOPE, run);

/** A merchant that pays 10 % after a hold of 10 days, and a customer with one order of 100.00. */
async function shop(): Promise<Merchant> {
  const merchant = await createMerchant(sql, { name: "Shop", currency: "EUR", timeZone: "UTC", clock: "manual" }, { actor: "test", at: 0 });
  if (merchant === null) throw new Error("the merchant's id is taken");
  const definition = definitionOf({ id: "k", rateBps: 1_000, holdDays: 10 });
  await locked((context) => createCampaign(context, { merchant: merchant.id, actor: "test", at: 0 }, definition));
  const event = {
    type: "OrderPlaced" as const,
    merchantId: merchant.merchantId,
    customerId: "c",
    orderId: "o",
    occurredAt: day(1),
    currency: "EUR",
    lines: [{ sku: "s", category: null, quantity: 1, netMinor: 10_000n }],
    paidWithCashbackMinor: 0n,
  };
  await driver.feed([{ timestamp: day(1), key: Buffer.from(`${merchant.merchantId}:c`), value: encode(event) }]);
  return merchant;
}

/** What was stored of a merchant's customers, in the order of replay. */
async function appliedOf({ id }: Merchant) {
  const rows = await sql<{ kind: string; as_of: Date; detail: object | null }[]>`
    SELECT p.kind, p.as_of, p.detail FROM cashback.applied p JOIN cashback.account a ON a.acct = p.customer WHERE a.merchant = ${id} ORDER BY p.off, p.n`;
  return rows.map(({ kind, as_of, detail }) => ({ kind, day: 1 + (as_of.getTime() - day(1)) / 86_400_000, detail }));
}

describe("commands", () => {
  test("are stored with sweeps in one order, refused ones too", async () => {
    const merchant = await shop();
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
    const at = (number: number) => ({ merchant, partition: 0, at: day(number) });
    const request = (number: number, redemptionId: string, amountMinor: bigint, orderId: string | null = null) => {
      return { ...at(number), customerId: "c", redemptionId, amountMinor, orderId };
    };
    await locked((context) => commands.redeem(context, request(2, first, 1n)));
    await driver.sweep(day(11), merchant.merchantId);
    await locked((context) => commands.reserve(context, request(12, first, 600n, "x"), 86_400_000));
    await locked((context) => commands.redeem(context, request(12, second, 150n)));
    await locked((context) => commands.commit(context, at(12), first));
    await locked((context) => commands.release(context, at(14), first));
    await locked((context) => commands.reserve(context, request(14, third, 50n), 86_400_000));
    await locked((context) => commands.link(context, at(14), third, "o"));
    await locked((context) => commands.link(context, at(14), third, "other"));
    await locked((context) => commands.release(context, at(14), third));
    expect(await locked((context) => commands.commit(context, at(20), randomUUID()))).toBe("not_found");
    const [one, two, three] = await sql<
      { seq: bigint }[]
    >`SELECT seq FROM cashback.redemption WHERE merchant = ${merchant.id} ORDER BY seq`;
    const sequenceOf = (row: { seq: bigint } | undefined) => Number(row?.seq);
    expect(await appliedOf(merchant)).toEqual([
      { kind: "redeem", day: 2, detail: { id: first, amountMinor: 1, orderId: null, refused: "insufficient_balance" } },
      { kind: "sweep", day: 11, detail: null },
      { kind: "reserve", day: 12, detail: { id: first, amountMinor: 600, orderId: "x", ttlMs: 86_400_000, sequence: sequenceOf(one) } },
      { kind: "redeem", day: 12, detail: { id: second, amountMinor: 150, orderId: null, sequence: sequenceOf(two) } },
      { kind: "commit", day: 12, detail: { id: first } },
      { kind: "release", day: 14, detail: { id: first, refused: "not_reserved" } },
      { kind: "reserve", day: 14, detail: { id: third, amountMinor: 50, orderId: null, ttlMs: 86_400_000, sequence: sequenceOf(three) } },
      { kind: "link", day: 14, detail: { id: third, orderId: "o" } },
      { kind: "link", day: 14, detail: { id: third, orderId: "other", refused: "not_reserved" } },
      { kind: "release", day: 14, detail: { id: third } },
    ]);
  });

  test("move the last as-of when they are refused, and make nobody known", async () => {
    const merchant = await shop();
    for (const customerId of ["c", "stranger"]) {
      const request = { merchant, partition: 0, at: day(5), customerId, redemptionId: randomUUID(), amountMinor: 1n, orderId: null };
      expect(await locked((context) => commands.redeem(context, request))).toBe("insufficient_balance");
    }
    const rows =
      await sql`SELECT customer_id, known, last_as_of FROM cashback.account WHERE merchant = ${merchant.id} ORDER BY customer_id`;
    expect(rows).toEqual([
      { customer_id: "c", known: true, last_as_of: new Date(day(5)) },
      { customer_id: "stranger", known: false, last_as_of: new Date(day(5)) },
    ]);
  });
});
