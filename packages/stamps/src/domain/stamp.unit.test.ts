import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bought, standingOf } from "./sheet.ts";
import { stampOrder } from "./stamp.ts";
import { unitNetMinor, unitsLeft } from "./units.ts";

const line = (quantity: number, netMinor: number) => ({ category: "coffee", quantity, netMinor: BigInt(netMinor) });
const none = { standing: { rewards: 0, stamps: 0 }, given: 0 };
/** A customer who bought so many units on a card of 3 and has them all. */
const bought = (units: number) => {
  const standing = standingOf([{ size: 3, units }]);
  return { standing, given: standing.rewards };
};

describe("a card of 3", () => {
  it.each([
    ["the first unit", 0, [line(1, 300)], { added: 1, standing: { rewards: 0, stamps: 1 }, earned: 0, amountMinor: 0n }],
    ["the unit that fills it", 2, [line(1, 300)], { added: 1, standing: { rewards: 0, stamps: 3 }, earned: 0, amountMinor: 0n }],
    ["the next one, which is rewarded", 3, [line(1, 300)], { added: 0, standing: { rewards: 1, stamps: 0 }, earned: 1, amountMinor: 300n }],
    ["five at once", 0, [line(5, 1_000)], { added: 4, standing: { rewards: 1, stamps: 1 }, earned: 1, amountMinor: 200n }],
    [
      "the unit at its place in the order of lines",
      1,
      [line(2, 200), line(1, 999), line(4, 80)],
      { added: 5, standing: { rewards: 2, stamps: 0 }, earned: 2, amountMinor: 999n + 20n },
    ],
    [
      "a third of 10.00, rounded down",
      2,
      [line(3, 1_000)],
      { added: 2, standing: { rewards: 1, stamps: 1 }, earned: 1, amountMinor: 333n },
    ],
    ["something that cost nothing", 3, [line(1, 0)], { added: 0, standing: { rewards: 1, stamps: 0 }, earned: 1, amountMinor: 0n }],
  ])("%s", (_, units, lines, expected) => {
    expect(stampOrder(bought(units), 3, lines)).toMatchObject(expected);
  });

  it("a reward that was given ahead is not given again", () => {
    // 4 units earned a reward, 3 of them went back: the next 3 fill what the reward was given for.
    const before = { standing: standingOf([{ size: 3, units: 1 }]), given: 1 };
    expect(stampOrder(before, 3, [line(3, 900)])).toMatchObject({
      added: 2,
      earned: 0,
      amountMinor: 0n,
      standing: { rewards: 1, stamps: 0 },
    });
    expect(stampOrder(before, 3, [line(7, 700)])).toMatchObject({
      added: 5,
      earned: 1,
      amountMinor: 100n,
      standing: { rewards: 2, stamps: 0 },
    });
  });

  it("takes the largest quantities in one step", () => {
    const lines = Array.from({ length: 2_000 }, () => line(2 ** 31 - 1, 1));
    const { units, added, earned } = stampOrder(none, 3, lines);
    expect([units, added + earned]).toEqual([2_000 * (2 ** 31 - 1), units]);
  });
});

const aSize = fc.integer({ min: 1, max: 5 });
const someLines = fc.array(
  fc.record({ quantity: fc.integer({ min: 1, max: 9 }), netMinor: fc.bigInt(0n, 1_000n), category: fc.constant("coffee") }),
  { minLength: 1, maxLength: 4 },
);

describe("whatever is bought", () => {
  it("is as if the units came one by one", () => {
    fc.assert(
      fc.property(aSize, fc.nat(20), fc.nat(3), someLines, (size, units, ahead, lines) => {
        const standing = standingOf([{ size, units }]);
        const given = standing.rewards + ahead;
        let { stamps, rewards } = standing;
        const slow = { added: 0, earned: 0, amountMinor: 0n };
        for (const each of lines.flatMap((one) => Array.from({ length: one.quantity }, () => unitNetMinor(one)))) {
          if (stamps < size) {
            stamps++;
            slow.added++;
            continue;
          }
          stamps = 0;
          if (++rewards <= given) continue;
          slow.earned++;
          slow.amountMinor += each;
        }
        expect(stampOrder({ standing, given }, size, lines)).toMatchObject({ ...slow, standing: { rewards, stamps } });
      }),
    );
  });

  it("leads to the standing of all units together, also over sizes that change", () => {
    const versions = fc.array(fc.record({ size: aSize, lines: someLines }), { maxLength: 5 });
    fc.assert(
      fc.property(versions, (orders) => {
        const all: Bought[] = [];
        let standing = standingOf(all);
        for (const { size, lines } of orders) {
          const done = stampOrder({ standing, given: standing.rewards }, size, lines);
          ({ standing } = done);
          all.push({ size, units: done.units });
          expect(standing).toEqual(standingOf(all));
        }
      }),
    );
  });

  it("fewer units never lead to more", () => {
    const versions = fc.array(fc.record({ size: aSize, units: fc.nat(12) }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(versions, fc.nat(), fc.nat(12), (all, at, less) => {
        const fewer = all.map((one, i) => (i === at % all.length ? { ...one, units: Math.max(0, one.units - less) } : one));
        expect(standingOf(fewer).rewards).toBeLessThanOrEqual(standingOf(all).rewards);
      }),
    );
  });
});

describe("the units that are left of a line", () => {
  it.each([
    ["all", line(3, 1_000), 1_000, 3],
    ["a unit's price less a cent, rounded down", line(3, 1_000), 667, 2],
    ["a unit's price, rounded up", line(3, 1_000), 666, 2],
    ["an allowance of less than half a unit", line(3, 1_000), 834, 3],
    ["half a unit counts as one", line(1, 1_000), 500, 1],
    ["less than half is none", line(1, 1_000), 499, 0],
    ["nothing", line(3, 1_000), 0, 0],
    ["of what cost nothing", line(3, 0), 0, 3],
  ])("%s", (_, of, remaining, left) => {
    expect(unitsLeft(of, BigInt(remaining), false)).toBe(left);
    expect(unitsLeft(of, BigInt(remaining), true)).toBe(0);
  });

  it("after k units were refunded at their price, rounded either way, is k less", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.bigInt(0n, 10n ** 9n), fc.nat(), fc.boolean(), (quantity, more, k, up) => {
        const netMinor = BigInt(2 * quantity) + more;
        const returned = k % (quantity + 1);
        const exact = (netMinor * BigInt(returned)) / BigInt(quantity);
        const refunded = up && exact * BigInt(quantity) < netMinor * BigInt(returned) ? exact + 1n : exact;
        expect(unitsLeft({ category: null, quantity, netMinor }, netMinor - refunded, false)).toBe(quantity - returned);
      }),
    );
  });
});
