import { reorderedStories, type Story } from "@perkstream/reference";
import { expect, test } from "vitest";
import { MemoryWorld } from "./testing/memory.ts";
import { subjectOf, vectorOf } from "./testing/subject.ts";

const SEEDS = 100;

async function endOf(story: Story) {
  const world = new MemoryWorld(vectorOf(story));
  const subject = subjectOf(world);
  for (const step of story.steps) if (!("expect" in step)) await subject.apply(step);
  const { awards, orders, parked, ledger } = await subject.look();
  const { cost = 0 } = ledger as Record<string, number>;
  return { awards: awards as Record<string, { k1: number }>, orders: orders as Record<string, { remaining: number[] }>, parked, cost };
}

test(
  "events in any order, repeated and before their orders, end in the same awards; a full refund nets to zero",
  { timeout: 120_000 },
  async () => {
    let refunded = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const [first, ...others] = await Promise.all(reorderedStories(seed).map(endOf));
      for (const other of others) expect({ seed, ...other }).toEqual({ seed, ...first });
      const current = Object.values(first!.awards).map(({ k1 }) => k1);
      // What the merchant paid is what is left of the awards, whichever lots and accounts it came from.
      expect({ seed, cost: first!.cost }).toEqual({ seed, cost: 0 - current.reduce((sum, minor) => sum + minor, 0) });
      for (const [orderId, { remaining }] of Object.entries(first!.orders)) {
        if (remaining.some((minor) => minor > 0)) continue;
        expect({ seed, orderId, left: first!.awards[orderId]!.k1 }).toEqual({ seed, orderId, left: 0 });
        refunded += 1;
      }
    }
    expect(refunded).toBeGreaterThan(SEEDS / 3);
  },
);
