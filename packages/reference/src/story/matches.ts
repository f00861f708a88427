import type { Expectation } from "./types.ts";

/** A place where a snapshot is not as expected. */
export interface Mismatch {
  readonly path: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

const inAnyOrder = new Set(["notifications", "deadLetters"]);
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** Compares what the expectation names and nothing else; an empty list means that all holds. */
export function mismatches(expected: Expectation, snapshot: object): Mismatch[] {
  return Object.entries(expected).flatMap(([key, value]) => {
    const actual = (snapshot as Record<string, unknown>)[key];
    return inAnyOrder.has(key) ? compareSets(key, value as unknown[], actual as unknown[]) : compare(key, value, actual);
  });
}

const none: Mismatch[] = [];

function compare(path: string, expected: unknown, actual: unknown): Mismatch[] {
  if (expected === actual) return none;
  const wrong = [{ path, expected, actual }];
  if (expected === null || expected === undefined) return actual === null || actual === undefined ? none : wrong;
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return wrong;
    return all(expected.map((item, position) => compare(`${path}.${position}`, item, actual[position])));
  }
  if (typeof expected === "object") {
    if (typeof actual !== "object" || actual === null) return wrong;
    return all(Object.entries(expected).map(([key, value]) => compare(`${path}.${key}`, value, (actual as Record<string, unknown>)[key])));
  }
  return isTime(expected) && isTime(actual) && Date.parse(expected) === Date.parse(actual) ? none : wrong;
}

function all(found: readonly Mismatch[][]): Mismatch[] {
  return found.some((one) => one.length > 0) ? found.flat() : none;
}

function isTime(value: unknown): value is string {
  return typeof value === "string" && timePattern.test(value);
}

/** Equal length, and a partner for everyone. */
function compareSets(path: string, expected: readonly unknown[], actual: readonly unknown[]): Mismatch[] {
  const fits = (wanted: unknown, one: unknown) => {
    const text = typeof wanted === "string" ? (isShort(one) ? shortFormOf(one) : one) : null;
    return text === null ? compare(path, wanted, one).length === 0 : text === wanted;
  };
  return expected.length === actual.length && canPair(expected, actual, fits) ? [] : [{ path, expected, actual }];
}

function isShort(one: unknown): one is Record<string, unknown> {
  return typeof one === "object" && one !== null && "type" in one;
}

/** `TierChanged c1 T0>T1 order` or `CashbackEarned c1 49`. */
function shortFormOf(note: Record<string, unknown>): string {
  if (note["type"] !== "TierChanged") return `${String(note["type"])} ${String(note["customerId"])} ${String(note["amountMinor"])}`;
  const [from, to] = [note["fromTier"] ?? "none", note["toTier"] ?? "none"];
  return `TierChanged ${String(note["customerId"])} ${String(from)}>${String(to)} ${String(note["reason"])}`;
}

/** Whether every expected item can have an actual one of its own (augmenting paths). */
function canPair<A, B>(wanted: readonly A[], there: readonly B[], fits: (a: A, b: B) => boolean): boolean {
  const takenBy = new Map<number, number>();
  const place = (item: number, tried: Set<number>): boolean =>
    there.some((candidate, position) => {
      if (tried.has(position) || !fits(wanted[item]!, candidate)) return false;
      tried.add(position);
      const holder = takenBy.get(position);
      if (holder !== undefined && !place(holder, tried)) return false;
      takenBy.set(position, item);
      return true;
    });
  return wanted.every((_, item) => place(item, new Set()));
}
