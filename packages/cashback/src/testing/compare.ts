import type { Vector } from "./vectors.ts";

/** What a world shows after a step, in the words of vectors.json; lists are those since the expectation before. */
export interface Observed {
  readonly customers: Record<string, unknown>;
  readonly awards: Record<string, Record<string, number>>;
  readonly awardDetails: Record<string, unknown>;
  readonly orders: Record<string, unknown>;
  readonly lots: Record<string, unknown>;
  readonly ledger: Record<string, number>;
  readonly campaigns: Record<string, unknown>;
  readonly redemptions: Record<string, unknown>;
  readonly transfers: number;
  readonly duplicates: number;
  readonly parked: number;
  readonly notifications: readonly Record<string, unknown>[];
  readonly deadLetters: readonly string[];
  readonly clawbacks: readonly Record<string, unknown>[];
  readonly refusals: readonly string[];
}

/** Fields of a customer that the tier program answers. */
const tierFields = new Set(["tier", "metric", "validUntil", "pinned", "history"]);

/** Differences between an expectation and what is seen, cashback's side only; empty when it holds. */
export function differences(expected: Readonly<Record<string, unknown>>, seen: Observed): string[] {
  const found: string[] = [];
  for (const [key, value] of Object.entries(expected)) {
    if (key === "previews") continue;
    if (key === "customers") compare(cashbackOf(value), seen.customers, key, found);
    else if (key === "notifications") compareNotices(value as readonly unknown[], seen.notifications, found);
    else if (key === "refusals") compare(ownRefusals(value as readonly string[]), seen.refusals, key, found);
    else if (key === "deadLetters") compare([...(value as string[])].sort(), [...seen.deadLetters].sort(), key, found);
    else compare(value, seen[key as keyof Observed], key, found);
  }
  return found;
}

function ownRefusals(refusals: readonly string[]): readonly string[] {
  return refusals.filter((refusal) => !/^(pin|unpin|promote|demote) /.test(refusal));
}

function cashbackOf(customers: unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(customers as Record<string, Record<string, unknown> | null>).map(([id, fields]) => [
      id,
      fields === null ? null : Object.fromEntries(Object.entries(fields).filter(([name]) => !tierFields.has(name))),
    ]),
  );
}

function compare(expected: unknown, seen: unknown, path: string, found: string[]): void {
  if (expected === null || expected === undefined) {
    if (seen !== null && seen !== undefined) found.push(`${path}: expected nothing, is ${JSON.stringify(seen)}`);
  } else if (typeof expected === "object") {
    if (typeof seen !== "object" || seen === null) {
      found.push(`${path}: expected ${JSON.stringify(expected)}, is ${JSON.stringify(seen)}`);
      return;
    }
    if (Array.isArray(expected) && Array.isArray(seen) && expected.length !== seen.length) {
      found.push(`${path}: expected ${expected.length} entries, are ${JSON.stringify(seen)}`);
      return;
    }
    for (const [name, value] of Object.entries(expected)) compare(value, (seen as Record<string, unknown>)[name], `${path}.${name}`, found);
  } else if (isInstant(expected) && isInstant(seen) ? Date.parse(expected) !== Date.parse(seen) : expected !== seen) {
    found.push(`${path}: expected ${JSON.stringify(expected)}, is ${JSON.stringify(seen)}`);
  }
}

function isInstant(value: unknown): value is string {
  return typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value);
}

function compareNotices(expected: readonly unknown[], seen: readonly Record<string, unknown>[], found: string[]): void {
  const wanted = expected.filter((one) => !(typeof one === "string" ? one : (one as { type: string }).type).startsWith("TierChanged"));
  const left = [...seen];
  for (const one of wanted) {
    const index = left.findIndex((notice) => fits(one, notice));
    if (index < 0) found.push(`notifications: ${JSON.stringify(one)} is not among ${left.map(brief).join(", ") || "none"}`);
    else left.splice(index, 1);
  }
  if (left.length > 0) found.push(`notifications: not expected ${left.map(brief).join(", ")}`);
}

function brief(notice: Record<string, unknown>): string {
  return `${String(notice["type"])} ${String(notice["customerId"])} ${String(notice["amountMinor"])}`;
}

function fits(expected: unknown, notice: Record<string, unknown>): boolean {
  if (typeof expected === "string") return brief(notice) === expected;
  const inner: string[] = [];
  compare(expected, notice, "", inner);
  return inner.length === 0;
}

/** What a vector is played against: the domain in memory, or the program on a database. */
export interface World {
  step(step: Vector["steps"][number]): Promise<void> | void;
  observe(): Promise<Observed> | Observed;
}

/** Plays a vector and answers every difference, with the number of its step. */
export async function play(vector: Vector, world: World): Promise<string[]> {
  const found: string[] = [];
  for (const [i, step] of vector.steps.entries()) {
    if (step.expect === undefined) await world.step(step);
    else found.push(...differences(step.expect, await world.observe()).map((difference) => `step ${i}: ${difference}`));
  }
  return found;
}
