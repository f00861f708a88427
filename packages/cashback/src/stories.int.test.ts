import { migrations as merchantMigrations } from "@perkstream/merchant";
import { openSql, type Sql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { migrations } from "./migrations.ts";
import type { Observed } from "./testing/compare.ts";
import { DatabaseWorld } from "./testing/database.ts";
import { randomOf, randomStory } from "./testing/stories.ts";
import type { Step } from "./testing/vectors.ts";

const STORIES = Number(process.env["CASHBACK_STORIES"] ?? 8);
const FIRST_SEED = Number(process.env["CASHBACK_SEED"] ?? 1);

let database: TestDatabase;
let sql: Sql;
let own: Sql;

beforeAll(async () => {
  database = await testDatabase(inject("stack").postgresUrl, [merchantMigrations, migrations]);
  sql = openSql(database.url, { max: 3, applicationName: "cashback-stories", role: "perkstream_api" });
  own = openSql(database.url, { max: 3, applicationName: "cashback-stories", role: "perkstream_cashback" });
});

afterAll(async () => {
  await Promise.all([sql.end(), own.end()]);
  await database.drop();
});

/** Lists in an order of their own: the database finds orders by id, memory by time. */
function comparable(seen: Observed): unknown {
  const text = (value: unknown) =>
    JSON.stringify(value, (_key, inner: unknown) =>
      inner instanceof Object && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner,
    );
  const list = (values: readonly unknown[]) => values.map(text).sort();
  return {
    customers: seen.customers,
    awards: seen.awards,
    lots: seen.lots,
    ledger: Object.fromEntries(Object.entries(seen.ledger).filter(([, value]) => value !== 0)),
    transfers: seen.transfers,
    duplicates: seen.duplicates,
    parked: seen.parked,
    deadLetters: list(seen.deadLetters),
    notifications: list(seen.notifications.map(({ id: _id, merchantId: _merchant, currency: _currency, ...notice }) => notice)),
    refusals: list(seen.refusals),
    redemptions: Object.fromEntries(
      Object.entries(seen.redemptions as Record<string, Record<string, unknown>>).map(
        ([id, { status, amountMinor, restoredMinor, parts }]) => [id, { status, amountMinor, restoredMinor, parts }],
      ),
    ),
    campaigns: Object.fromEntries(
      Object.entries(seen.campaigns as Record<string, { usedMinor: number; budgetLeftMinor: number | null }>).map(
        ([id, { usedMinor, budgetLeftMinor }]) => [id, { usedMinor, budgetLeftMinor }],
      ),
    ),
  };
}

async function playBatched(steps: readonly Step[], world: DatabaseWorld, seed: number): Promise<void> {
  const random = randomOf(seed + 77);
  let batch: Step[] = [];
  const flush = async () => {
    if (batch.length > 0) await world.feed(batch, random.int(1, batch.length));
    batch = [];
  };
  for (const step of steps) {
    if (step.event !== undefined) batch.push(step);
    else {
      await flush();
      await world.step(step);
    }
    if (random.chance(0.1)) await flush();
  }
  await flush();
}

describe("random stories: the program on Postgres, which loads only what it needs, decides as the domain with everything at hand", () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + STORIES; seed++) {
    test(`seed ${seed}`, async () => {
      const story = randomStory(seed, 120);
      const world = await DatabaseWorld.open(sql, story, own);
      const half = Math.floor(story.steps.length / 2);
      for (const steps of [story.steps.slice(0, half), story.steps.slice(half)]) {
        await playBatched(steps, world, seed);
        const seen = comparable(await world.observe());
        expect(seen).toEqual(comparable(world.expected()));
      }
      expect(await wrongRows(sql)).toEqual([]);
    });
  }
});

/** Rows in which the stored sums contradict each other. */
async function wrongRows(reader: Sql): Promise<readonly unknown[]> {
  return reader`
    SELECT a.acct, a.pending, a.available, a.reserved, l.* FROM cashback.account a
      LEFT JOIN LATERAL (SELECT coalesce(sum(pending), 0) AS p, coalesce(sum(available), 0) AS v, coalesce(sum(reserved), 0) AS r,
        min(CASE WHEN pending > 0 THEN available_at WHEN available > 0 THEN expires_at END) AS due FROM cashback.lot WHERE acct = a.acct) l ON true
    WHERE a.pending <> l.p OR a.available <> l.v OR a.reserved <> l.r OR (l.due IS NOT NULL AND (a.due_at IS NULL OR a.due_at > l.due))`;
}
