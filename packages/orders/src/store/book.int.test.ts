import type { OrderEvent } from "@perkstream/contracts";
import { openSql, type Sql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { handle } from "../handle.ts";
import { bytesOf, cancelled, entryOf, NOON, placed, refunded } from "../testing/events.ts";
import { memoryOrders, recordingEffects } from "../testing/memory.ts";
import { trialMigrations } from "../testing/migrations.ts";
import { book, merchants, result, shop, trialProgram } from "../testing/trial.ts";

let database: TestDatabase;
let sql: Sql;
let owner: Sql;

beforeAll(async () => {
  database = await testDatabase(inject("stack").postgresUrl, [trialMigrations]);
  sql = openSql(database.url, { max: 3, applicationName: "orders-test", lockTimeoutMs: 20_000, role: "perkstream_trial" });
  owner = openSql(database.url, { max: 1, applicationName: "orders-owner" });
});

beforeEach(async () => {
  await clear();
});

afterAll(async () => {
  await Promise.all([sql.end(), owner.end()]);
  await database.drop();
});

const clear = () => owner`WITH a AS (DELETE FROM trial."order"), b AS (DELETE FROM trial.refund) DELETE FROM trial.parked`;
const stored = (orderId = "o1") => sql.begin(async (tx) => (await book.loadOrders(tx, [{ merchant: 1, orderId }])).find(1, orderId));
const parkedCount = async () => (await sql`SELECT 1 FROM trial.parked`).length;

describe("the order tables", () => {
  it("give back what was stored", async () => {
    const { chunk } = trialProgram(sql);
    const odd = placed({ orderId: 'o"1,{}\\', customerId: "Zoë", netMinor: [500, 300], paidWithCashbackMinor: 7n, occurredAt: NOON - 1 });
    await chunk(odd);
    await chunk(refunded("r,1", [[1, 100]], { orderId: odd.orderId, customerId: "Zoë" }));
    const booked = await stored(odd.orderId);
    expect(booked?.order.placed).toEqual(odd);
    expect(booked?.order.payload).toEqual(bytesOf(odd));
    expect(booked?.order.place).toEqual({ merchant: 1, acct: 7, partition: 0, offset: 0, recordAt: NOON - 1, localDay: 20_098 });
    expect(booked?.order.remaining).toEqual([500n, 200n]);
    expect(booked?.extra).toEqual({ level: "gold", taken: 100 });
    expect([...(booked?.order.refunds.values() ?? [])]).toMatchObject([
      { refundId: "r,1", lines: [{ line: 1, amountMinor: 100n }], amountMinor: 100n },
    ]);
    expect(await sql`SELECT note FROM trial.refund`).toMatchObject([{ note: "r,1" }]);
  });

  it("know duplicates and conflicts of earlier chunks", async () => {
    const { chunk } = trialProgram(sql);
    await chunk(placed({ netMinor: [10_000, 5_000] }), refunded("r1", [[0, 4_000]]));
    const outcomes = await chunk(
      placed({ netMinor: [10_000, 5_000] }),
      placed({ netMinor: [1] }),
      refunded("r1", [[0, 4_000]]),
      refunded("r1", [[0, 1]]),
      refunded("r2", [[0, 6_001]]),
      refunded("r2", [[0, 6_000]], { customerId: "c2" }),
      refunded("r2", [[0, 6_000]]),
      cancelled(),
      cancelled({ reason: "again" }),
    );
    expect(outcomes.map(result)).toEqual([
      "duplicate",
      "order_conflict",
      "duplicate",
      "refund_conflict",
      "refund_exceeds_order",
      "customer_mismatch",
      "applied",
      "applied",
      "duplicate",
    ]);
    const booked = await stored();
    expect(booked?.order).toMatchObject({ cancelled: true, remaining: [0n, 0n] });
    expect([...(booked?.order.refunds.keys() ?? [])]).toEqual(["r1", "r2", ""]);
    expect((await chunk(cancelled(), refunded("r2", [[0, 6_000]]))).map(result)).toEqual(["duplicate", "duplicate"]);
  });

  it("keep what is parked with its coordinates, key and headers until its order comes", async () => {
    const { chunk, entries, log } = trialProgram(sql);
    const early = entryOf(cancelled({ customerId: "c2" }), {
      partition: 3,
      offset: 41,
      timestamp: NOON + 5,
      headers: { trace: Buffer.from([0, 255]) },
    });
    expect((await entries([early])).map(result)).toEqual(["parked"]);
    expect((await chunk(refunded("r1", [[0, 400]]), refunded("r2", [[0, 900]]))).map(result)).toEqual(["parked", "parked"]);
    expect(await parkedCount()).toBe(3);
    const [other, outcome] = await chunk(placed({ orderId: "o2" }), placed());
    expect(other).toMatchObject({ result: "applied" });
    expect(outcome).toMatchObject({ result: "applied", unparked: 3, duplicates: 0 });
    expect(outcome?.deadLetters?.map(({ reason }) => reason)).toEqual(["customer_mismatch", "refund_exceeds_order"]);
    expect(outcome?.deadLetters?.[0]?.record).toEqual(early.record);
    expect(log).toEqual(["counted o2 1000", "counted o1 1000", "refunded r1 400 of 0 at 3"]);
    expect(await parkedCount()).toBe(0);
    expect((await stored())?.order.remaining).toEqual([600n]);
  });

  it("an order in the same chunk as what was parked before it", async () => {
    const { chunk } = trialProgram(sql);
    await chunk(refunded("r1", [[0, 1]]));
    const outcomes = await chunk(refunded("r2", [[0, 2]]), placed(), refunded("r3", [[0, 4]]), refunded("r2", [[0, 2]]));
    expect(outcomes.map(result)).toEqual(["parked", "applied", "applied", "duplicate"]);
    expect(outcomes[1]?.unparked).toBe(2);
    expect(await parkedCount()).toBe(0);
    expect((await stored())?.order.remaining).toEqual([993n]);
    expect(await sql`SELECT refund_id, position FROM trial.refund ORDER BY position`).toMatchObject([
      { refund_id: "r1" },
      { refund_id: "r2" },
      { refund_id: "r3" },
    ]);
  });

  it("a changed column of the program's own is written", async () => {
    await trialProgram(sql).chunk(placed());
    await sql.begin(async (tx) => {
      const orders = await book.loadOrders(tx, [{ merchant: 1, orderId: "o1" }]);
      const booked = orders.find(1, "o1")!;
      booked.extra = { level: null, taken: 42 };
      orders.touch(booked);
      await orders.save(tx);
    });
    expect((await stored())?.extra).toEqual({ level: null, taken: 42 });
  });

  it("orders of merchants that are not known are left out", async () => {
    const stranger = entryOf(placed({ merchantId: "00000000-0000-4000-8000-000000000000" }));
    const orders = await sql.begin((tx) => book.load(tx, [stranger], merchants));
    expect(result(handle(orders, stranger, undefined, recordingEffects()))).toBe("unknown_merchant");
  });
});

describe("a chunk", () => {
  it("costs the same statements whether it has one event or hundreds", async () => {
    const statements = (events: readonly OrderEvent[]) =>
      sql.begin(async (tx) => {
        let count = 0;
        const counting = new Proxy(tx, { get: (target, name) => (name === "unsafe" && count++, Reflect.get(target, name)) });
        const chunk = events.map((event, offset) => entryOf(event, { offset }));
        const orders = await book.load(counting, chunk, merchants);
        for (const entry of chunk) handle(orders, entry, shop, recordingEffects());
        await orders.save(counting);
        return count;
      });
    const ids = Array.from({ length: 300 }, (_, i) => `o${i}`);
    await statements(ids.map((orderId) => refunded("r0", [[0, 1]], { orderId })));
    const placing = ids.flatMap((orderId) => [placed({ orderId }), refunded("early", [[0, 1]], { orderId: `x${orderId}` })]);
    // Read: orders, refunds, whether anything is parked, parked. Written: orders, refunds, parked, no longer parked.
    expect(await statements(placing)).toBe(8);
    // Orders change: read orders and refunds, update orders, insert refunds.
    expect(await statements(ids.map((orderId) => cancelled({ orderId })))).toBe(4);
    expect((await sql`SELECT 1 FROM trial."order" WHERE cancelled`).length).toBe(300);
  });
});

describe("the same order id in two partitions", () => {
  it("fails one transaction with 23505; repeated from its load it is a conflict", async () => {
    const { entries } = trialProgram(sql);
    const mine = entryOf(placed(), { partition: 0 });
    const theirs = entryOf(placed({ customerId: "c2" }), { partition: 1 });
    const held = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const first = sql.begin(async (tx) => {
      await tx.unsafe("SET LOCAL idle_in_transaction_session_timeout = 0");
      const orders = await book.load(tx, [mine], merchants);
      handle(orders, mine, shop, recordingEffects());
      await orders.save(tx);
      held.resolve();
      await go.promise;
    });
    await held.promise;
    const second = entries([theirs]).catch((error: unknown) => error);
    await expect
      .poll(
        async () => (await owner`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`).length,
      )
      .toBe(1);
    go.resolve();
    await first;
    expect(await second).toMatchObject({ code: "23505" });
    expect((await entries([theirs])).map(result)).toEqual(["order_conflict"]);
  });
});

describe("where chunks end", () => {
  const ids = ["o1", "o2", "o3"];
  const anyEvent: fc.Arbitrary<OrderEvent> = fc.oneof(
    fc.constantFrom(...ids).map((orderId) => placed({ orderId, netMinor: [500, 300] })),
    fc
      .record({ orderId: fc.constantFrom(...ids), id: fc.nat(3), line: fc.nat(2), amount: fc.integer({ min: 1, max: 400 }) })
      .map(({ orderId, id, line, amount }) => refunded(`r${id}`, [[line, amount]], { orderId })),
    fc.constantFrom(...ids).map((orderId) => cancelled({ orderId })),
    fc.constantFrom(...ids).map((orderId) => placed({ orderId, customerId: "c2" })),
  );

  it("makes no difference", async () => {
    const chunks = fc.array(fc.array(anyEvent, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(chunks, async (history) => {
        await clear();
        const memory = memoryOrders();
        const effects = recordingEffects();
        const expected = history.flat().map((event, offset) => handle(memory, entryOf(event, { offset }), shop, effects));
        const { chunk, log } = trialProgram(sql);
        const outcomes = [];
        for (const events of history) outcomes.push(...(await chunk(...events)));
        expect(outcomes).toEqual(expected);
        expect(log).toEqual(effects.log);
        for (const orderId of ids) {
          const [booked, inMemory] = [await stored(orderId), memory.find(1, orderId)];
          expect(booked?.order.remaining).toEqual(inMemory?.order.remaining);
          expect(booked?.extra).toEqual(inMemory?.extra);
          expect([...(booked?.order.refunds.keys() ?? [])]).toEqual([...(inMemory?.order.refunds.keys() ?? [])]);
        }
      }),
      { numRuns: 40 },
    );
  });
});
