import type { Difference, Fields, Report, Shown, Where } from "@perkstream/verify";
import type { VerifiedProgram } from "./options.ts";

/** Collects what is checked and prints what differs: at most `limit` differences of one kind, the rest is counted. */
export class PrintedReport implements Report {
  readonly counts = new Map<string, number>();
  readonly #kinds = new Map<string, number>();
  readonly #programs: readonly VerifiedProgram[];
  readonly #limit: number;
  readonly #print: (difference: Difference) => void;

  constructor(programs: readonly VerifiedProgram[], limit: number, print: (difference: Difference) => void) {
    this.#programs = programs;
    this.#limit = limit;
    this.#print = print;
  }

  difference(difference: Difference): void {
    if (difference.program !== "inbox" && !this.#programs.includes(difference.program)) return;
    const kind = kindOf(difference);
    const count = (this.#kinds.get(kind) ?? 0) + 1;
    this.#kinds.set(kind, count);
    if (count <= this.#limit) this.#print(difference);
  }

  checked(what: string, count = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + count);
  }

  /** By kind. */
  get kinds(): ReadonlyMap<string, number> {
    return this.#kinds;
  }

  get differences(): number {
    return [...this.#kinds.values()].reduce((total, count) => total + count, 0);
  }
}

export function kindOf({ program, thing, problem }: Difference): string {
  return `${program} ${thing} ${problem}`;
}

/** One line: what, where, and each field with what it should be. */
export function lineOf(difference: Difference): string {
  const { expected, found, note } = difference;
  const parts = [`${kindOf(difference)}: ${whereText(difference.where)}`, valuesText(expected, found)];
  if (note !== undefined) parts.push(`(${note})`);
  return parts.filter((part) => part !== "").join(" ");
}

/** JSON has no bigint: amounts are numbers where they fit, else text. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) => {
    if (typeof inner !== "bigint") return inner;
    return inner >= -9_007_199_254_740_991n && inner <= 9_007_199_254_740_991n ? Number(inner) : String(inner);
  });
}

function whereText(where: Where): string {
  return Object.entries(where)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

function valuesText(expected: Fields | null, found: Fields | null): string {
  if (expected === null) return found === null ? "" : `— found ${fieldsText(found)}`;
  if (found === null) return `— expected ${fieldsText(expected)}`;
  const names = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return `— ${[...names].map((name) => `${name} is ${shown(found[name])}, should be ${shown(expected[name])}`).join("; ")}`;
}

function fieldsText(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${shown(value)}`)
    .join(", ");
}

function shown(value: Shown | undefined): string {
  return value === null || value === undefined ? "none" : String(value);
}
