import { expect, test } from "vitest";
import type { Step } from "../story/types.ts";
import { randomStory } from "../story/random-story.ts";
import { openModel } from "./model.ts";
import type { Snapshot } from "./snapshot.ts";

const STORIES = 150;

// Thousands of `expect` calls a story would be most of the run.
function must(held: boolean, what: string): void {
  if (!held) throw new Error(what);
}

/** The programs equal the model at every step (random.unit.test.ts), so what holds here holds there. */
function check({ lots, ledger, customers, notifications }: Snapshot): void {
  for (const [id, lot] of Object.entries(lots)) {
    const { granted, pending, available, reserved, redeemed, expired, reversed } = lot as unknown as Record<string, number>;
    const parts = [pending!, available!, reserved!, redeemed!, expired!, reversed!];
    must(granted === parts.reduce((sum, part) => sum + part, 0), `lot ${id} does not add up`);
    must(
      parts.every((part) => part >= 0),
      `lot ${id} is below zero`,
    );
  }
  must(Object.values(ledger).reduce((sum, amount) => sum + amount, 0) === 0, "the ledger does not add up to zero");
  for (const [id, { cashback, history, tier }] of Object.entries(customers)) {
    must(cashback.availableMinor >= 0 && (cashback.debtMinor === 0 || cashback.availableMinor === 0), `${id} has a debt beside cashback`);
    must((history.at(-1)?.to ?? null) === tier, `${id}'s history does not end at the level`);
    must(
      history.every(({ from }, position) => from === (history[position - 1]?.to ?? null)),
      `${id}'s history has a gap`,
    );
  }
  must(
    notifications.every(({ amountMinor }) => amountMinor === undefined || (amountMinor as number) > 0),
    "a notice of nothing",
  );
}

test("lots add up, the ledger is balanced, histories have no gaps", { timeout: 120_000 }, () => {
  let changes = 0;
  let told = 0;
  for (let seed = 1; seed <= STORIES; seed += 1) {
    const story = randomStory(seed);
    const model = openModel(story);
    for (const step of story.steps as Step[]) {
      model.apply(step);
      const snapshot = model.look();
      check(snapshot);
      told += snapshot.notifications.filter(({ type }) => type === "TierChanged").length;
    }
    changes += model.world.history.length;
  }
  expect(told).toBe(changes);
  expect(changes).toBeGreaterThan(STORIES);
});

test("caps and budgets hold after every step, where no edit lowers them", { timeout: 120_000 }, () => {
  let full = 0;
  for (let seed = 1; seed <= STORIES; seed += 1) {
    const story = randomStory(seed);
    const model = openModel(story);
    for (const step of story.steps as Step[]) {
      if ("campaign" in step) continue;
      model.apply(step);
      const { campaigns } = model.look();
      for (const { id, budgetMinor, perCustomerCap } of story.campaigns) {
        const { usedMinor, caps } = campaigns[id]!;
        if (budgetMinor != null) must(usedMinor >= 0 && usedMinor <= budgetMinor, `seed ${seed}: ${id} is above its budget`);
        if (budgetMinor === usedMinor) full += 1;
        const limit = perCustomerCap?.amountMinor ?? Infinity;
        must(
          Object.values(caps).every((used) => used >= 0 && used <= limit),
          `seed ${seed}: ${id} is above a cap`,
        );
      }
    }
  }
  expect(full).toBeGreaterThan(STORIES / 10);
});
