import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryWorld } from "../testing/memory.ts";
import { campaignOf } from "../testing/campaigns.ts";
import { randomStory } from "../testing/stories.ts";
import { accountedMinor, type Award, bases, earned, judgeOrder, kind, type Limits, refundTarget, spread, sum } from "./index.ts";

const amount = fc.bigInt(0n, 9_007_199_254_740_991n);

describe("arithmetic", () => {
  test("the parts of a spread add up, are never negative and differ from the exact share by less than one", () => {
    fc.assert(
      fc.property(amount, fc.array(amount, { minLength: 1, maxLength: 12 }), (total, weights) => {
        const parts = spread(total, weights);
        const weightSum = sum(weights);
        expect(sum(parts)).toBe(weightSum === 0n ? 0n : total);
        if (weightSum === 0n) return;
        for (const [i, part] of parts.entries()) {
          const exact = total * (weights[i] ?? 0n);
          expect(part >= 0n && part * weightSum - exact < weightSum && exact - part * weightSum < weightSum).toBe(true);
        }
      }),
    );
  });

  test("the fast way of rounding an award is the exact one", () => {
    const small = fc.bigInt(0n, 2_000_000n);
    fc.assert(
      fc.property(
        fc.oneof(amount, small),
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 0, max: 100_000 }),
        (base, rate, multiplier) => {
          expect(earned(base, rate, multiplier)).toBe((base * BigInt(rate) * BigInt(multiplier)) / 100_000_000n);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

const noLimits: Limits = { customerCapLeft: () => 0n, budgetLeft: () => 0n, use: () => {} };

describe("refunds", () => {
  test("in any order they end with the same award, and a full refund with none", () => {
    const order = fc.record({
      nets: fc.array(fc.bigInt(0n, 100_000n), { minLength: 1, maxLength: 6 }),
      paidPercent: fc.bigInt(0n, 100n),
      rateBps: fc.integer({ min: 1, max: 100_000 }),
      multiplier: fc.integer({ min: 5_000, max: 30_000 }),
      cap: fc.option(fc.integer({ min: 1, max: 50_000 })),
    });
    fc.assert(
      fc.property(
        order,
        fc.array(fc.tuple(fc.nat(5), fc.nat(100)), { maxLength: 12 }),
        fc.nat(),
        ({ nets, paidPercent, rateBps, multiplier, cap }, cuts, turn) => {
          const lines = nets.map((netMinor) => ({ sku: "s", category: null, netMinor }));
          const paidWithCashbackMinor = (sum(nets) * paidPercent) / 100n;
          const campaign = campaignOf({ id: "k", rateBps, perOrderCapMinor: cap }, 1, 1);
          const [award] = judgeOrder({ occurredAt: 1e12, lines, paidWithCashbackMinor }, [campaign], multiplier, noLimits).awards;
          if (award === undefined) throw new Error("not eligible");
          const lineBases = bases(lines, paidWithCashbackMinor);
          const after = (taken: readonly (readonly [number, number])[]) => refundAll(award, lines, lineBases, taken);
          expect(after([...cuts].reverse())).toBe(after(cuts));
          expect(after([...cuts.slice(turn % 7), ...cuts.slice(0, turn % 7)])).toBe(after(cuts));
          expect(
            refundTarget(
              award,
              lines,
              lineBases,
              nets.map(() => 0n),
            ),
          ).toBe(0n);
          expect(refundTarget(award, lines, lineBases, nets)).toBe(award.awardedMinor);
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** Each cut takes a fixed part of its line's net, as long as something remains. */
function refundAll(
  award: Award,
  lines: readonly { netMinor: bigint }[],
  lineBases: readonly bigint[],
  cuts: readonly (readonly [number, number])[],
): bigint {
  const taken = lines.map(() => 0n);
  for (const [line, percent] of cuts)
    if (line < lines.length) taken[line] = (taken[line] ?? 0n) + ((lines[line]?.netMinor ?? 0n) * BigInt(percent)) / 100n;
  const remaining = lines.map(({ netMinor }, i) => (netMinor > (taken[i] ?? 0n) ? netMinor - (taken[i] ?? 0n) : 0n));
  return refundTarget(award, lines, lineBases, remaining);
}

describe("random stories", () => {
  test("lots add up, the ledger's sums are the balances, available is never negative, caps and budgets hold", () => {
    const kinds = new Set<number>();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const story = randomStory(seed, 80);
        const world = new MemoryWorld(story);
        for (const step of story.steps) {
          world.step(step);
          checkInvariants(world);
        }
        for (const transfer of world.transfers) kinds.add(transfer.kind);
      }),
      { numRuns: 300, seed: 20_251_124 },
    );
    // The stories reach every kind of transfer.
    expect([...kinds].sort()).toEqual(Object.values(kind).sort());
  });

  test("caps and budgets hold where they never change", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const random = randomStory(seed, 80);
        const story = { ...random, steps: random.steps.filter((step) => step.campaign === undefined) };
        const world = new MemoryWorld(story);
        for (const step of story.steps) world.step(step);
        const { campaigns } = world.observe();
        for (const { id, budgetMinor, perCustomerCap } of story.campaigns) {
          const seen = campaigns[id] as { usedMinor: number; caps: Record<string, number> };
          if (budgetMinor != null) expect(seen.usedMinor).toBeLessThanOrEqual(budgetMinor);
          if (perCustomerCap != null)
            for (const used of Object.values(seen.caps)) expect(used).toBeLessThanOrEqual(perCustomerCap.amountMinor);
          expect(seen.usedMinor).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 200 },
    );
  });
});

// Plain comparisons: thousands of `expect` calls per story would be most of the run.
function must(held: boolean, what: string): void {
  if (!held) throw new Error(what);
}

function checkInvariants(world: MemoryWorld): void {
  const ledger = world.ledger();
  for (const customer of world.customers.values()) {
    let available = 0n;
    for (const lot of customer.lots.values()) {
      must(accountedMinor(lot) === lot.grantedMinor, "a lot does not add up");
      for (const part of [lot.pendingMinor, lot.availableMinor, lot.reservedMinor, lot.redeemedMinor, lot.expiredMinor, lot.reversedMinor])
        must(part >= 0n, "a lot is below zero");
      available += lot.availableMinor;
    }
    const { customerId: id, pendingMinor, availableMinor, reservedMinor, debtMinor } = customer;
    must(availableMinor === available, "available is not the sum of the lots");
    must(debtMinor === 0n || availableMinor === 0n, "something is available beside a debt");
    const balances = { pending: pendingMinor, available: availableMinor, reserved: reservedMinor, debt: -debtMinor };
    for (const [name, balance] of Object.entries(balances))
      must(BigInt(ledger[`${id}/${name}`] ?? 0) === balance, `${name} is not the ledger's sum`);
  }
  must(Object.values(ledger).reduce((total, value) => total + value, 0) === 0, "the ledger does not add up to zero");
}
