import type { Driver } from "@perkstream/program";
import { afterEach, describe, expect, inject, test } from "vitest";
import { shareBudgets } from "./store/budget-edits.ts";
import { type Bed, type BudgetSeen, budgetOf, openBed, type Shop } from "./testing/budget-bed.ts";
import { randomOf } from "./testing/stories.ts";

const STORIES = Number(process.env["CASHBACK_BUDGET_STORIES"] ?? 4);
const FIRST_SEED = Number(process.env["CASHBACK_SEED"] ?? 1);
const CHUNKS = 25;

type Random = ReturnType<typeof randomOf>;

let bed: Bed;
afterEach(() => bed.close());

interface Watched {
  readonly shop: Shop;
  readonly campaignId: string;
  readonly campaign: number;
  /** What may be used at most while a version holds: its budget, or what was used already when it came. */
  readonly most: Map<number, bigint>;
  readonly snapshots: BudgetSeen[];
}

function note({ most }: Watched, { version, budget, used }: BudgetSeen): void {
  most.set(version, budget === null ? 2n ** 62n : budget > used ? budget : used);
}

async function randomShop(random: Random): Promise<{ shop: Shop; watched: Watched[] }> {
  const campaigns = Array.from({ length: random.int(1, 3) }, () => ({
    budgetMinor: random.pick([random.int(1, 60_000), random.int(60_000, 3_000_000)]),
    ...(random.chance(0.3) ? { perOrderCapMinor: random.int(100, 20_000) } : {}),
  }));
  const shop = await bed.merchant(campaigns);
  const watched: Watched[] = [];
  for (const [i] of campaigns.entries()) {
    const campaignId = `k${i}`;
    const one = { shop, campaignId, campaign: await shop.campaign(campaignId), most: new Map<number, bigint>(), snapshots: [] };
    note(one, await shop.seen(campaignId));
    watched.push(one);
  }
  return { shop, watched };
}

/** Partitions dealt out to owners, some to one, some together. */
async function randomOwners(random: Random): Promise<{ owner: Driver; owned: number[] }[]> {
  const groups: number[][] = [[]];
  for (let part = 0; part < bed.partitions; part++) {
    if (random.chance(0.6) && groups.at(-1)?.length !== 0) groups.push([]);
    groups.at(-1)?.push(part);
  }
  return Promise.all(groups.map(async (owned) => ({ owner: await bed.owner(owned), owned })));
}

/** Chunks of orders and refunds of several merchants, in random order. */
async function trade(random: Random, { owner, owned }: { owner: Driver; owned: number[] }, shops: readonly Shop[]): Promise<void> {
  const placed: { shop: Shop; part: number; orderId: string; net: number }[] = [];
  let n = 0;
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const records = Array.from({ length: random.int(1, 20) }, () => {
      if (random.chance(0.25) && placed.length > 0) {
        const [one] = placed.splice(random.int(0, placed.length - 1), 1);
        if (one !== undefined) return one.shop.refund(one.part, one.orderId, "r", random.chance(0.5) ? one.net : random.int(1, one.net));
      }
      const one = { shop: random.pick(shops), part: random.pick(owned), orderId: `${owned[0]}-${n++}`, net: randomNet(random) };
      placed.push(one);
      return one.shop.order(one.part, one.orderId, one.net);
    });
    await owner.feed(records);
  }
}

function randomNet(random: Random): number {
  return random.chance(0.1) ? random.int(100_000, 5_000_000) : random.int(10, 60_000);
}

/** Budgets up, down, away, and changes to shared that nobody needs. */
async function meddle(random: Random, watched: readonly Watched[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const one = random.pick(watched);
    const { budget } = await one.shop.seen(one.campaignId);
    if (random.chance(0.3) && budget !== null) await shareBudgets(bed.sql, [{ campaign: one.campaign, budgetMinor: budget }]);
    const budgetMinor = random.pick([null, random.int(1, 60_000), random.int(60_000, 3_000_000), random.int(60_000, 3_000_000)]);
    note(one, await one.shop.edit(one.campaignId, { budgetMinor }));
  }
}

async function watch(watched: readonly Watched[], isOver: () => boolean): Promise<void> {
  while (!isOver()) for (const one of watched) one.snapshots.push(await budgetOf(bed.sql, one.campaign));
}

/** Sets a budget a little above what is used, and orders until nothing more is paid: it must be used up to the last unit. */
async function exhaust(
  random: Random,
  { shop, campaignId }: Watched,
  owners: readonly { owner: Driver; owned: number[] }[],
): Promise<void> {
  const { used } = await shop.seen(campaignId);
  const budgetMinor = Number(used) + random.int(1, 400_000);
  await shop.edit(campaignId, { budgetMinor, perOrderCapMinor: null });
  for (let i = 0; (await shop.seen(campaignId)).used < budgetMinor; i++) {
    expect(i).toBeLessThan(200);
    await Promise.all(
      owners.map(({ owner, owned }) => owner.feed(owned.map((part) => shop.order(part, `${campaignId}-${part}-${i}`, 30_001)))),
    );
  }
  const seen = await shop.seen(campaignId);
  expect(seen).toMatchObject({ budget: BigInt(budgetMinor), used: BigInt(budgetMinor), held: 0n, taken: BigInt(budgetMinor) });
}

describe("random orders, refunds and edits of several merchants, over partitions of several owners", () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + STORIES; seed++) {
    test(`seed ${seed}`, { timeout: 90_000 }, async () => {
      const random = randomOf(seed);
      bed = await openBed(inject("stack").postgresUrl, random.int(2, 5));
      const shops = [await randomShop(random), await randomShop(random)];
      const watched = shops.flatMap((one) => one.watched);
      const owners = await randomOwners(random);
      let over = false;
      const trading = Promise.all(
        owners.map((one) =>
          trade(
            random,
            one,
            shops.map(({ shop }) => shop),
          ),
        ),
      ).finally(() => (over = true));
      // Whoever is refused, or meets a deadlock, fails the test.
      await Promise.all([trading, meddle(random, watched, () => over), watch(watched, () => over)]);
      for (const one of watched) {
        for (const { budget, taken, held, used, version } of one.snapshots) {
          if (budget !== null) expect(taken - held).toBe(used);
          expect(used <= (one.most.get(version) ?? -1n), `${used} used of ${one.most.get(version)}`).toBe(true);
        }
        const awards = await one.shop.awards(one.campaignId);
        expect(awards.reduce((total, { current }) => total + current, 0n)).toBe((await one.shop.seen(one.campaignId)).used);
      }
      for (const one of watched) await exhaust(random, one, owners);
      expect(owners.flatMap(({ owner }) => owner.deadLetters)).toEqual([]);
      const [stat] = await bed.sql<{ deadlocks: bigint }[]>`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`;
      expect(stat?.deadlocks).toBe(0n);
    });
  }
});
