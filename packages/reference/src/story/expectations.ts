import { openModel } from "../model/model.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { Expectation, Step, Story, StoryStep } from "./types.ts";

/** What is told as "since the expectation before", also when it is nothing. */
const happenings = ["deadLetters", "notifications", "clawbacks", "refusals", "previews"] as const;
const tables = ["customers", "orders", "awards", "awardDetails", "lots", "redemptions", "campaigns"] as const;
const counts = ["transfers", "duplicates", "parked"] as const;

/** The story with an expectation after every so many steps: what happened, and what is not as it was. The last one says everything. */
export function withExpectations(story: Story, every = 1): Story {
  const model = openModel(story);
  const steps: StoryStep[] = [];
  let before: Snapshot | null = null;
  const own = story.steps.filter((step): step is Step => !("expect" in step));
  for (const [position, step] of own.entries()) {
    model.apply(step);
    const isLast = position === own.length - 1;
    steps.push(step);
    if (!isLast && (position + 1) % every !== 0) continue;
    const now = model.look();
    steps.push({ expect: isLast ? everything(story, now) : news(before, now) });
    before = now;
  }
  return { ...story, steps };
}

function news(before: Snapshot | null, now: Snapshot): Expectation {
  return {
    ...Object.fromEntries(
      tables.map((key) => [key, changed(before?.[key] ?? {}, now[key])]).filter(([, table]) => Object.keys(table!).length > 0),
    ),
    ...Object.fromEntries(counts.filter((key) => before?.[key] !== now[key]).map((key) => [key, now[key]])),
    ...Object.fromEntries(happenings.map((key) => [key, now[key]])),
  };
}

function everything(story: Story, now: Snapshot): Expectation {
  const named = story.steps.flatMap((step) => ("event" in step ? [step.event.customerId] : []));
  const unknown = named.filter((customerId) => now.customers[customerId] === undefined).map((customerId) => [customerId, null]);
  return { ...now, customers: { ...now.customers, ...Object.fromEntries(unknown) } };
}

function changed(before: Readonly<Record<string, unknown>>, now: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(now).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key])));
}
