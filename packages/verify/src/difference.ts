/** Which program's rows are wrong. */
export type ProgramName = "tier" | "cashback" | "inbox";

/**
 * How a thing differs from what the stored orders and commands give:
 * `missing` it should be there; `unexpected` it should not; `changed` it is there with other values;
 * `exceeded` it is above what a rule allows; `hidden` it would be done too late or never.
 */
export type Problem = "missing" | "unexpected" | "changed" | "exceeded" | "hidden";

/** The kinds of things that are compared (docs/verify.md explains each). */
export type Thing =
  | "account"
  | "allowance"
  | "applied"
  | "award"
  | "balance"
  | "budget"
  | "campaign sum"
  | "cap"
  | "day"
  | "due moment"
  | "edit"
  | "history"
  | "lot"
  | "merchant balance"
  | "notification"
  | "number"
  | "order"
  | "outbox"
  | "parked"
  | "redemption"
  | "refund"
  | "seal"
  | "tally"
  | "tier"
  | "transfer";

/** Where it is: ids of merchants, customers, orders, lots …, from the outermost to the innermost. */
export type Where = Readonly<Record<string, string | number>>;

/** Values as they are printed. */
export type Shown = string | number | bigint | boolean | null;
export type Fields = Readonly<Record<string, Shown>>;

/** One difference: only the fields that differ, or of what is missing or too much all that tell what it is. */
export interface Difference {
  readonly program: ProgramName;
  readonly thing: Thing;
  readonly problem: Problem;
  readonly where: Where;
  readonly expected: Fields | null;
  readonly found: Fields | null;
  /** What else a reader should know, a sentence. */
  readonly note?: string;
}

/** Takes differences, counts what was checked. */
export interface Report {
  difference(difference: Difference): void;
  /** Adds to how many things of a name were compared. */
  checked(what: string, count?: number): void;
}

/**
 * The fields of `expected` whose value is another one in `found`; null when there are none.
 * bigint and number of the same value are the same.
 */
export function differingFields(expected: Fields, found: Fields): { readonly expected: Fields; readonly found: Fields } | null {
  let names: string[] | null = null;
  for (const name in expected) if (!isSame(expected[name] ?? null, found[name] ?? null)) (names ??= []).push(name);
  if (names === null) return null;
  const pick = (fields: Fields) => Object.fromEntries(names.map((name) => [name, fields[name] ?? null]));
  return { expected: pick(expected), found: pick(found) };
}

function isSame(a: Shown, b: Shown): boolean {
  if (a === b) return true;
  return typeof a !== typeof b && typeof a !== "string" && typeof b !== "string" && a !== null && b !== null && String(a) === String(b);
}

/** An instant as it is printed: ISO 8601, or null. */
export function shownAt(ms: number | null): string | null {
  return ms === null || !Number.isFinite(ms) ? null : new Date(ms).toISOString();
}

/** A local date as it is printed, of days since 1970. */
export function shownDay(day: number | null): string | null {
  return day === null ? null : new Date(day * 86_400_000).toISOString().slice(0, 10);
}
