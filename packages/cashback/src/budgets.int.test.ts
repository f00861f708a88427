import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { campaignStats } from "./queries/campaigns.ts";
import { type Bed, openBed, type Shop } from "./testing/budget-bed.ts";
import { randomOf } from "./testing/stories.ts";

const PARTITIONS = 4;
const BUDGET = 1_000_000;

let bed: Bed;
beforeEach(async () => {
  bed = await openBed(inject("stack").postgresUrl, PARTITIONS);
});
afterEach(() => bed.close());

/** One campaign of 10 % with a budget large enough for allowances. */
const shopWith = (budgetMinor: number) => bed.merchant([{ budgetMinor }]);

/** Rows of locks that somebody waits for. */
async function waiting(): Promise<string[]> {
  const rows = await bed.sql<{ application_name: string }[]>`
    SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`;
  return rows.map((row) => row.application_name);
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Holds the lock of the campaign's row while `run` runs. */
async function holdingRow<T>(shop: Shop, campaignId: string, run: () => Promise<T>): Promise<T> {
  const campaign = await shop.campaign(campaignId);
  return (await bed.sql.begin(async (tx) => {
    await tx.unsafe("SET LOCAL idle_in_transaction_session_timeout = 0");
    await tx`SELECT 1 FROM cashback.campaign_budget WHERE campaign = ${campaign} FOR UPDATE`;
    return run();
  })) as T;
}

describe("a budget that several owners use up at the same time", () => {
  test("is used up exactly, is never passed, and is cut once", async () => {
    const shop = await shopWith(BUDGET);
    const campaign = await shop.campaign("k0");
    const random = randomOf(7);
    let done = false;
    let n = 0;
    const work = async (owned: readonly number[]) => {
      const owner = await bed.owner(owned);
      for (let more = 3; more > 0; more -= done ? 1 : 0) {
        const orders = Array.from({ length: random.int(1, 30) }, () =>
          shop.order(random.pick(owned), `o${n++}`, random.int(0, 20) === 0 ? random.int(100_000, 400_000) : random.int(1, 9_000)),
        );
        await owner.feed(orders, random.int(1, 30));
        done ||= (await shop.seen("k0")).used === BigInt(BUDGET);
      }
    };
    const modes = new Set<boolean>();
    const isOver = () => done;
    const look = async () => {
      const { shared, taken, held, used } = await shop.seen("k0");
      modes.add(shared);
      expect([taken - held, used <= BUDGET]).toEqual([used, true]);
    };
    const watch = async () => {
      while (!isOver()) await look();
      await look();
    };
    await Promise.all([work([0]), work([1, 2]), work([3]), watch()]);
    expect(modes).toEqual(new Set([false, true]));
    expect(await shop.seen("k0")).toMatchObject({ shared: true, taken: BigInt(BUDGET), held: 0n, used: BigInt(BUDGET) });
    const awards = await shop.awards("k0");
    expect(awards.reduce((total, { current }) => total + current, 0n)).toBe(BigInt(BUDGET));
    expect(awards.filter(({ awarded, earned }) => awarded > 0n && awarded < earned).length).toBeLessThanOrEqual(1);
    expect(awards.filter(({ awarded }) => awarded === 0n).length).toBeGreaterThan(0);
    const [lots] = await bed.sql<
      { sum: bigint }[]
    >`SELECT sum(granted - reversed)::int8 AS sum FROM cashback.lot WHERE campaign = ${campaign}`;
    expect(lots?.sum).toBe(BigInt(BUDGET));
  });

  test("an award larger than all that is left gets all of it, from every allowance", async () => {
    const shop = await shopWith(BUDGET);
    const owners = await Promise.all([bed.owner([0, 1]), bed.owner([2]), bed.owner([3])]);
    for (const [i, owner] of owners.entries()) await owner.feed([shop.order(i === 0 ? 0 : i + 1, `o${i}`, 1_000)]);
    expect((await shop.seen("k0")).held).toBeGreaterThan(100_000n);
    await owners[0].feed([shop.order(1, "large", 1_000_000_000)]);
    expect(await shop.seen("k0")).toMatchObject({ shared: true, used: BigInt(BUDGET), held: 0n });
    expect((await shop.awards("k0")).map(({ awarded }) => awarded).sort((a, b) => Number(b - a))).toEqual([999_700n, 100n, 100n, 100n]);
  });
});

describe("the campaign's row", () => {
  test("is waited for by nobody who pays from an allowance", async () => {
    const shop = await shopWith(BUDGET);
    const owners = await Promise.all([bed.owner([0, 1]), bed.owner([2, 3])]);
    const all = [0, 1, 2, 3];
    for (const part of all) await owners[part < 2 ? 0 : 1]?.feed([shop.order(part, `first-${part}`, 100)]);
    await holdingRow(shop, "k0", async () => {
      await Promise.all(owners.map((owner, i) => owner.feed([shop.order(2 * i, `a${i}`, 1_000), shop.order(2 * i + 1, `b${i}`, 1_000)])));
      expect(await waiting()).toEqual([]);
    });
    expect((await shop.seen("k0")).used).toBe(440n);
  });

  test("is waited for only by the chunk that refills", async () => {
    const shop = await shopWith(BUDGET);
    const owners = await Promise.all([bed.owner([0]), bed.owner([1])]);
    await owners[1].feed([shop.order(1, "o1", 1_000)]);
    let refilled: Promise<void> | undefined;
    await holdingRow(shop, "k0", async () => {
      refilled = owners[0].feed([shop.order(0, "o0", 1_000)]);
      await until("the chunk waits for the row", async () => (await waiting()).length > 0);
      await owners[1].feed([shop.order(1, "o2", 1_000)]);
      expect(await waiting()).toEqual(["owner-0"]);
    });
    await refilled;
    expect((await shop.seen("k0")).used).toBe(300n);
  });

  test("is not touched between refills: a chunk reads once and writes once, without a budget never", async () => {
    let texts: string[] = [];
    const owner = await bed.owner([0, 1], { statement: (text) => void (/budget/.test(text) && texts.push(text)) });
    const told = async (...records: Parameters<typeof owner.feed>[0]) => {
      texts = [];
      await owner.feed(records);
      return texts.map((text) => (/FOR UPDATE/.test(text) ? "lock" : (/^[A-Z]+/.exec(text)?.[0] ?? text)));
    };
    const without = await bed.merchant([{}, { budgetMinor: BUDGET, status: "paused" }]);
    await owner.feed([without.order(0, "warm", 100)]);
    expect(await told(without.order(0, "n0", 100))).toEqual([]);
    const shop = await bed.merchant([{ budgetMinor: BUDGET }, { budgetMinor: BUDGET }]);
    await owner.feed([shop.order(0, "first", 100), shop.order(1, "second", 100)]);
    expect(await told(...[1, 2, 3].flatMap((i) => [shop.order(0, `a${i}`, 100), shop.order(1, `b${i}`, 100)]))).toEqual([
      "SELECT",
      "INSERT",
    ]);
    expect(await told(shop.order(0, "c", 700_000))).toEqual(["SELECT", "lock", "UPDATE", "INSERT"]);
    const small = await shopWith(1_000);
    await owner.feed([small.order(0, "s0", 100)]);
    expect(await told(small.order(0, "s1", 100))).toEqual(["lock", "UPDATE"]);
  });
});

describe("chunks that refill from several campaigns", () => {
  test("cannot wait for each other: all hold what comes before the row that they wait for", async () => {
    const owners = await Promise.all([0, 1, 2, 3].map((part) => bed.owner([part])));
    for (let round = 0; round < 4; round++) {
      // The order of ids is not that of priorities, by which awards are made.
      const shop = await bed.merchant([9, 5, 7, 1, 3].map((priority) => ({ budgetMinor: BUDGET, priority })));
      let feeding: Promise<void>[] = [];
      await holdingRow(shop, "k2", async () => {
        feeding = owners.map((owner, part) => owner.feed([shop.order(part, `o${part}`, 1_000)]));
        await until("all wait", async () => (await waiting()).length === owners.length);
      });
      await Promise.all(feeding);
    }
  });
});

describe("what clawbacks return", () => {
  test("is room again, in the allowance and in the shared row", async () => {
    const shop = await shopWith(BUDGET);
    const owner = await bed.owner([0, 1, 2, 3]);
    await owner.feed([shop.order(0, "o0", 1_000_000)]);
    const before = await shop.seen("k0");
    await owner.feed([shop.refund(0, "o0", "r0", 400_000)]);
    expect(await shop.seen("k0")).toMatchObject({ taken: before.taken, held: before.held + 40_000n, used: 60_000n, shared: false });
    expect(await campaignStats(bed.sql, shop.id, "k0")).toMatchObject({ usedMinor: 60_000, budgetLeftMinor: 940_000 });
    await owner.feed([shop.order(1, "o1", 100_000_000)]);
    expect(await shop.seen("k0")).toMatchObject({ shared: true, used: BigInt(BUDGET), held: 0n });
    await owner.feed([shop.refund(0, "o0", "r1", 600_000)]);
    expect(await shop.seen("k0")).toMatchObject({ shared: true, taken: 940_000n, used: 940_000n });
    await owner.feed([shop.order(2, "o2", 500_000), shop.order(3, "o3", 500_000)]);
    expect(await shop.seen("k0")).toMatchObject({ taken: BigInt(BUDGET), used: BigInt(BUDGET) });
    const awarded = (await shop.awards("k0")).map(({ awarded: amount }) => amount).sort((a, b) => Number(a - b));
    expect(awarded).toEqual([10_000n, 50_000n, 100_000n, 940_000n]);
  });

  test("within a chunk does not hide that an award was cut", async () => {
    const shop = await shopWith(BUDGET);
    const owner = await bed.owner([0, 1, 2, 3]);
    await owner.feed([shop.order(0, "small", 100)]);
    const early = ["a", "b", "c"];
    for (const orderId of early) await owner.feed([shop.order(2, orderId, 2_000_000)]);
    expect(await shop.seen("k0")).toMatchObject({ shared: false, used: 600_010n });
    await owner.feed([shop.order(2, "large", 20_000_000), ...early.map((orderId) => shop.refund(2, orderId, "r", 2_000_000))]);
    // Partition 0's allowance is in it.
    expect((await shop.awards("k0")).map(({ current }) => current)).toContain(399_990n);
    expect(await shop.seen("k0")).toMatchObject({ shared: true, used: 400_000n, taken: 400_000n });
  });
});

describe("edits", () => {
  test("small budgets are shared at once, and stay so once something is used", async () => {
    const shop = await shopWith(39_000);
    expect((await shop.seen("k0")).shared).toBe(true);
    await shop.edit("k0", { budgetMinor: BUDGET });
    expect((await shop.seen("k0")).shared).toBe(false);
    await shop.edit("k0", { budgetMinor: 39_000 });
    const owner = await bed.owner([0]);
    await owner.feed([shop.order(0, "o0", 1_000)]);
    await shop.edit("k0", { budgetMinor: BUDGET });
    expect(await shop.seen("k0")).toMatchObject({ shared: true, taken: 100n });
  });

  test("below what is used pay nothing more; raised again, or taken away and set, the rest", async () => {
    const shop = await shopWith(BUDGET);
    const owner = await bed.owner([0, 1, 2, 3]);
    await owner.feed([0, 1, 2, 3].map((part) => shop.order(part, `o${part}`, 100_000)));
    expect((await shop.seen("k0")).held).toBeGreaterThan(0n);
    await shop.edit("k0", { budgetMinor: 30_000 });
    expect(await shop.seen("k0")).toMatchObject({ taken: 40_000n, held: 0n, shared: true });
    await owner.feed([shop.order(0, "o4", 100_000)]);
    await shop.edit("k0", { budgetMinor: 45_000 });
    await owner.feed([shop.order(1, "o5", 100_000)]);
    expect((await shop.seen("k0")).used).toBe(45_000n);
    await shop.edit("k0", { budgetMinor: null });
    await owner.feed([shop.order(2, "o6", 100_000)]);
    expect((await shop.seen("k0")).used).toBe(55_000n);
    await shop.edit("k0", { budgetMinor: 56_000 });
    await owner.feed([shop.order(3, "o7", 100_000)]);
    expect(await shop.seen("k0")).toMatchObject({ taken: 56_000n, used: 56_000n });
  });
});
