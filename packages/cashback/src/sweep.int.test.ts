import { migrations as merchantMigrations } from "@perkstream/merchant";
import { openSql, type Sql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { migrations } from "./migrations.ts";
import { DatabaseWorld } from "./testing/database.ts";
import type { Vector } from "./testing/vectors.ts";

const PLACED = "2025-01-01T00:00:00.000Z";
const HOLD_ENDS = "2025-01-31T00:00:00.000Z";

let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  database = await testDatabase(inject("stack").postgresUrl, [merchantMigrations, migrations]);
  sql = openSql(database.url, { max: 3, applicationName: "cashback-sweep" });
});

afterAll(async () => {
  await sql.end();
  await database.drop();
});

const story: Vector = {
  id: "sweep",
  title: "much is due at one instant",
  merchant: { currency: "EUR", timeZone: "UTC", clawbackPolicy: "allow_negative" },
  ladder: { settings: { window: "lifetime" }, levels: [] },
  campaigns: [{ id: "k", rateBps: 100, holdDays: 30 }],
  steps: [],
};

/** A merchant with so many customers that have so many held lots each, all due at one instant. */
async function openWith(customers: number, lots: number): Promise<{ world: DatabaseWorld; merchant: number }> {
  const world = await DatabaseWorld.open(sql, story);
  await world.step({ at: PLACED, event: { type: "OrderPlaced", customerId: "c", orderId: "o", lines: [{ netMinor: 100 }] } });
  const [first] = await sql<
    { merchant: number; acct: bigint }[]
  >`SELECT max(merchant) AS merchant, max(acct) AS acct FROM cashback.account`;
  if (first === undefined) throw new Error("the order made no customer");
  const { merchant, acct } = first;
  await sql`INSERT INTO cashback.account (merchant, customer_id, part, known, pending, due_at)
    SELECT ${merchant}, 'm' || i, 0, true, ${lots}, ${HOLD_ENDS}::timestamptz FROM generate_series(1, ${customers}::int) AS i`;
  await sql`INSERT INTO cashback.lot (acct, lot_id, order_id, campaign, granted, pending, available_at)
    SELECT a.acct, 1000000 + i, 'o' || i, l.campaign, 1, 1, ${HOLD_ENDS}::timestamptz
    FROM cashback.account a, generate_series(1, ${lots}::int) AS i, (SELECT campaign FROM cashback.lot WHERE acct = ${acct}) AS l
    WHERE a.merchant = ${merchant} AND a.acct <> ${acct}`;
  return { world, merchant };
}

/** How many holds each transaction ended. */
async function stepsOf(merchant: number): Promise<number[]> {
  const rows = await sql<{ n: bigint }[]>`SELECT count(*) AS n FROM cashback.transfer t JOIN cashback.account a USING (acct)
    WHERE a.merchant = ${merchant} AND t.as_of = ${HOLD_ENDS}::timestamptz GROUP BY t.xmin::text ORDER BY min(t.id)`;
  return rows.map(({ n }) => Number(n));
}

describe("a sweep to an instant at which much is due", () => {
  test("works off 20,000 lots of one customer in bounded steps", async () => {
    const { world, merchant } = await openWith(1, 20_000);
    await world.step({ at: HOLD_ENDS, sweep: true });
    expect(await stepsOf(merchant)).toEqual([1, ...Array.from({ length: 8 }, () => 2_500)]);
    const [customer] =
      await sql`SELECT pending, available, due_at FROM cashback.account WHERE merchant = ${merchant} AND customer_id = 'm1'`;
    expect(customer).toEqual({ pending: 0n, available: 20_000n, due_at: null });
  });

  test("takes so many customers at a time that a step stays bounded", async () => {
    const { world, merchant } = await openWith(100, 200);
    await world.step({ at: HOLD_ENDS, sweep: true });
    const steps = await stepsOf(merchant);
    expect(Math.max(...steps)).toBeLessThanOrEqual(2_500);
    expect(steps.reduce((sum, lots) => sum + lots, 0)).toBe(20_001);
  });
});
