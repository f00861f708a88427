import type { Model } from "../model/model.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { openModel } from "../model/model.ts";
import { mismatches, type Mismatch } from "./matches.ts";
import type { Step, Story } from "./types.ts";

/** Part of a snapshot, in the words of an expectation. */
export type View = Readonly<Record<string, unknown>>;

/** Anything that can live through a story. Lists of what happened are those since the last look. */
export interface Subject {
  apply(step: Step): Promise<void> | void;
  look(): Promise<View> | View;
}

/** What of the model's snapshot a subject answers for. */
export type Part = (snapshot: Snapshot, model: Model) => View;

const tables = ["customers", "orders", "awards", "lots", "redemptions"];
const tierKinds = /^(pin|unpin|promote|demote) /;

/** What the tier program answers for. */
export const tierPart: Part = ({ customers, orders, notifications, deadLetters, duplicates, parked, refusals, previews }, { world }) => ({
  customers: Object.fromEntries([...world.members.keys()].map((id) => [id, without(customers[id]!, "cashback")])),
  orders,
  notifications: notifications.filter(({ type }) => type === "TierChanged"),
  deadLetters,
  duplicates,
  parked,
  refusals: refusals.filter((refusal) => tierKinds.test(refusal)),
  previews,
});

/** What the cashback program answers for. */
export const cashbackPart: Part = (snapshot, { world }) => {
  const { customers, notifications, refusals, ledger } = snapshot;
  const known = [...world.book.lastAsOf.keys()];
  return {
    ...without(snapshot, "previews"),
    customers: Object.fromEntries(known.map((id) => [id, { cashback: customers[id]!.cashback }])),
    notifications: notifications.filter(({ type }) => type !== "TierChanged"),
    refusals: refusals.filter((refusal) => !tierKinds.test(refusal)),
    ledger: Object.fromEntries(Object.entries(ledger).filter(([, amount]) => amount !== 0)),
  };
};

function without<T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = object;
  return rest;
}

/** All that is not as the model says, and all that the model does not know. */
export function differences(expected: View, actual: View): Mismatch[] {
  const extra = tables.flatMap((table) => {
    if (actual[table] === undefined) return [];
    const known = expected[table] ?? {};
    return Object.entries(actual[table] as object)
      .filter(([key, value]) => value !== null && value !== undefined && !Object.hasOwn(known, key))
      .map(([key, value]) => ({ path: `${table}.${key}`, expected: null, actual: value }));
  });
  const named = Object.fromEntries(Object.entries(expected).filter(([key]) => actual[key] !== undefined));
  return [...mismatches(named, actual), ...extra];
}

export interface Difference {
  /** Position of the step after which it shows. */
  readonly position: number;
  readonly wrong: readonly Mismatch[];
}

/**
 * Plays a story with the model and a subject; null when they agree.
 * @param isLook whether to compare after the step at this position; after the last one always
 */
export async function firstDifference(
  story: Story,
  open: (story: Story, model: Model) => Promise<Subject> | Subject,
  part: Part,
  isLook: (position: number) => boolean = () => true,
): Promise<Difference | null> {
  const model = openModel(story);
  const subject = await open(story, model);
  const steps = story.steps.filter((step): step is Step => !("expect" in step));
  for (const [position, step] of steps.entries()) {
    model.apply(step);
    const wrong = await after(subject, step, position === steps.length - 1 || isLook(position), () => part(model.look(), model));
    if (wrong.length > 0) return { position, wrong };
  }
  return null;
}

/** An exception of the subject is a difference too. */
async function after(subject: Subject, step: Step, isLook: boolean, expected: () => View): Promise<Mismatch[]> {
  try {
    await subject.apply(step);
    return isLook ? differences(expected(), await subject.look()) : [];
  } catch (error) {
    return [{ path: "exception", expected: null, actual: error instanceof Error ? (error.stack ?? error.message) : String(error) }];
  }
}
