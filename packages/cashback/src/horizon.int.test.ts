import { fixedRegistry, openNotificationEncoder, openOrderDecoder, openOrderEncoder, topics } from "@perkstream/contracts";
import { createMerchant, migrations as merchantMigrations } from "@perkstream/merchant";
import { openSql, type Sql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { classify, createDriver, type SourceRecord, withPartitions } from "@perkstream/program";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createCampaign } from "./commands/campaigns.ts";
import { migrations } from "./migrations.ts";
import { createCashbackProgram } from "./program.ts";
import { findOrder } from "./queries/orders.ts";
import { definitionOf } from "./testing/campaigns.ts";
import { tierOf } from "./testing/tier.ts";

let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  database = await testDatabase(inject("stack").postgresUrl, [merchantMigrations, migrations]);
  sql = openSql(database.url, { max: 3, applicationName: "cashback-horizon" });
});

afterAll(async () => {
  await sql.end();
  await database.drop();
});

async function shop(tierMultiplier: boolean): Promise<{ readonly id: number; readonly merchantId: string }> {
  const merchant = await createMerchant(sql, { name: "Shop", currency: "EUR", timeZone: "UTC" }, { actor: "test", at: 0 });
  if (merchant === null) throw new Error("the merchant's id is taken");
  await withPartitions(sql, { program: "cashback", topic: topics.orders, partitions: [0] }, (context) =>
    createCampaign(context, { merchant: merchant.id, actor: "test", at: 0 }, definitionOf({ id: "k", rateBps: 1000, tierMultiplier })),
  );
  return merchant;
}

test("orders wait for the tier program only where a campaign uses its multipliers, and then get the level as of their offset", async () => {
  const registry = fixedRegistry();
  const decoder = openOrderDecoder(registry);
  const encoder = await openNotificationEncoder(registry);
  const orders = await openOrderEncoder(registry);
  let reached = 0;
  const asked: number[] = [];
  const program = createCashbackProgram({
    decoder,
    encoder,
    sql,
    tier: tierOf({
      progress: () => Promise.resolve(new Map([[0, reached]])),
      levelsAt: (_sql, queries) => {
        asked.push(...queries.map(({ offset }) => offset));
        return Promise.resolve(queries.map(() => ({ levelId: "gold", multiplierBps: 15_000 })));
      },
    }),
  });
  const driver = await createDriver(program, sql, 1);
  const plain = await shop(false);
  const tiered = await shop(true);
  const record = ({ merchantId }: { merchantId: string }, orderId: string) => ({
    timestamp: 1_750_000_000_000,
    key: Buffer.from(`${merchantId}:c1`),
    value: orders.encode({
      type: "OrderPlaced",
      merchantId,
      customerId: "c1",
      orderId,
      occurredAt: 1_750_000_000_000,
      currency: "EUR",
      lines: [{ sku: "s", category: null, quantity: 1, netMinor: 1000n }],
      paidWithCashbackMinor: 0n,
    }),
  });
  const records = [record(plain, "o0"), record(tiered, "o1"), record(plain, "o2")];
  await decoder.prepare(records.map((one) => one.value));
  const entries = records.map((one, offset) => {
    const source: SourceRecord = { ...one, partition: 0, offset, headers: {} };
    const decoded = program.decode(source);
    if (!("event" in decoded)) throw new Error(decoded.rejected.message);
    return { record: source, scope: decoded.scope, event: decoded.event };
  });
  const horizon = async () => (await program.horizon?.(new Map([[0, entries]])))?.get(0);
  expect(await horizon()).toBe(1);
  reached = 1;
  expect(await horizon()).toBe(1);
  reached = 2;
  expect(await horizon()).toBeUndefined();

  // A campaign that came between horizon and chunk: the transaction gives up, and the host waits.
  reached = 1;
  await driver.feed(records.slice(0, 1));
  const early = await driver.feed(records.slice(1, 2)).catch((error: unknown) => error);
  expect(classify(early)).toBe("outage");
  reached = 2;
  const again = await createDriver(program, sql, 1);
  await again.feed(records.slice(1));
  expect(asked).toEqual([1]);
  const seen = await Promise.all([
    findOrder(sql, decoder, plain.id, "o0"),
    findOrder(sql, decoder, tiered.id, "o1"),
    findOrder(sql, decoder, plain.id, "o2"),
  ]);
  expect(seen.map((order) => order?.awards[0]?.awardedMinor)).toEqual([100, 150, 100]);
});
