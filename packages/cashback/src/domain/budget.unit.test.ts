import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { refills, sharedAtOnce, sum } from "./index.ts";

const amount = fc.oneof(fc.bigInt(0n, 9_007_199_254_740_991n), fc.bigInt(0n, 1_000_000n));
const room = fc.record({ budgetMinor: amount, leftMinor: amount, partitions: fc.integer({ min: 2, max: 64 }) });

describe("refills", () => {
  test("pay each shortage whole, and leave a twentieth of the budget and the largest award, or are refused", () => {
    let paid = 0;
    fc.assert(
      fc.property(room, fc.array(amount, { minLength: 1, maxLength: 4 }), amount, (of, short, largestMinor) => {
        const given = refills(of, short, largestMinor);
        const enough = (leftMinor: bigint) => leftMinor >= of.budgetMinor / 20n && leftMinor >= largestMinor && leftMinor >= 1n;
        expect(given !== null).toBe(enough(of.leftMinor - sum(short)));
        if (given === null) return;
        paid += 1;
        expect(given.every((amountMinor, i) => amountMinor >= (short[i] ?? 0n))).toBe(true);
        expect(enough(of.leftMinor - sum(given))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
    expect(paid).toBeGreaterThan(100);
  });

  test("are a share of what is left, or four large awards", () => {
    const left = { budgetMinor: 1_000_000n, leftMinor: 960_000n, partitions: 12 };
    expect(refills(left, [100n], 100n)).toEqual([20_100n]);
    expect(refills(left, [100n, 0n], 10_000n)).toEqual([40_100n, 40_000n]);
    expect(refills({ ...left, leftMinor: 60_000n }, [1_000n, 2_000n], 5_000n)).toEqual([8_000n, 2_000n]);
    expect(refills({ ...left, leftMinor: 60_000n }, [10_001n], 5_000n)).toBeNull();
  });

  test("use up all but the last twentieth in few steps", () => {
    let leftMinor = 100_000_000n;
    let steps = 0;
    for (; ; steps += 1) {
      const given = refills({ budgetMinor: 100_000_000n, leftMinor, partitions: 12 }, [100n], 500n);
      if (given === null) break;
      leftMinor -= sum(given);
    }
    expect(leftMinor).toBe(5_000_000n);
    expect(steps).toBeLessThan(150);
  });
});

describe("allowances from the start", () => {
  const large = { budgetMinor: 1_000_000n, leftMinor: 1_000_000n, partitions: 12 };

  test("only for several partitions, and for a share that is worth it", () => {
    expect(sharedAtOnce(large, null)).toBe(false);
    expect(sharedAtOnce({ ...large, partitions: 1 }, null)).toBe(true);
    expect(sharedAtOnce({ ...large, budgetMinor: 119_999n, leftMinor: 119_999n }, null)).toBe(true);
    expect(sharedAtOnce({ ...large, budgetMinor: 120_000n, leftMinor: 120_000n }, null)).toBe(false);
    expect(sharedAtOnce(large, 20_833n)).toBe(false);
    expect(sharedAtOnce(large, 20_834n)).toBe(true);
  });

  test("not for the rest of a budget", () => {
    expect(sharedAtOnce({ ...large, budgetMinor: 100_000_000n, leftMinor: 4_999_999n }, null)).toBe(true);
    expect(sharedAtOnce({ ...large, leftMinor: -5n }, null)).toBe(true);
  });
});
