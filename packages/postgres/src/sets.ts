import type { Tx, Sql } from "./connect.ts";

/**
 * Set-based writes: one statement per table, whatever the number of rows. Each column travels as one array
 * parameter in Postgres' text form (`{1,2,NULL}`) and comes back as rows through `unnest`.
 */
export type ColumnType =
  | "int2"
  | "int4"
  | "int8"
  | "text"
  | "uuid"
  | "bool"
  | "bytea"
  | "date"
  | "timestamptz"
  | "jsonb"
  | "int8[]"
  | "text[]";

export type Columns = Readonly<Record<string, ColumnType>>;

interface ColumnValues {
  int2: number;
  int4: number;
  int8: number | bigint;
  text: string;
  uuid: string;
  bool: boolean;
  bytea: Buffer;
  /** Days since 1970-01-01. */
  date: number;
  /** Milliseconds since 1970. */
  timestamptz: number;
  /** Anything that JSON can say, and bigint. */
  jsonb: unknown;
  "int8[]": readonly (number | bigint)[];
  "text[]": readonly string[];
}

export type Row<C extends Columns> = { readonly [K in keyof C]: ColumnValues[C[K]] | null };

const DAY_MS = 86_400_000;
/** 9999-12-31 */
const LAST_4_DIGIT_DAY = 2_932_896;
const NEEDS_QUOTES = /^$|[\s{}",\\]|^null$/i;

function quoted(text: string): string {
  if (!NEEDS_QUOTES.test(text)) return text;
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** Always quoted: the element is itself a literal with commas or braces. */
function requoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** A replacer costs more than all else of it, so it is only asked for where a bigint is met: a number up to 2^53-1, text above. */
function json(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return JSON.stringify(value, (_key, inner: unknown) => {
      if (typeof inner !== "bigint") return inner;
      return Number.isSafeInteger(Number(inner)) ? Number(inner) : String(inner);
    });
  }
}

const DIGITS_2 = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, "0"));
let knownDay = Number.NaN;
let knownDayText = "";

// Rows of one statement mostly have the same dates: toISOString for each was a third of the time of writing a row.
function dateText(day: number): string {
  if (day !== knownDay) {
    knownDayText = new Date(day * DAY_MS).toISOString().slice(0, 10);
    knownDay = day;
  }
  return knownDayText;
}

function instantText(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  if (day < 0 || day > LAST_4_DIGIT_DAY || !Number.isInteger(ms)) return new Date(ms).toISOString();
  const inDay = ms - day * DAY_MS;
  const [hour, minute, second] = [Math.floor(inDay / 3_600_000), Math.floor(inDay / 60_000) % 60, Math.floor(inDay / 1_000) % 60];
  const milli = inDay % 1_000;
  const fraction = milli === 0 ? "" : `.${String(milli).padStart(3, "0")}`;
  return `${dateText(day)}T${DIGITS_2[hour]}:${DIGITS_2[minute]}:${DIGITS_2[second]}${fraction}Z`;
}

const encoders: { readonly [T in ColumnType]: (value: never) => string } = {
  int2: String,
  int4: String,
  int8: String,
  text: quoted,
  uuid: String,
  bool: (value: boolean) => (value ? "t" : "f"),
  bytea: (value: Buffer) => `"\\\\x${value.toString("hex")}"`,
  date: dateText,
  timestamptz: instantText,
  jsonb: (value: unknown) => requoted(json(value)),
  "int8[]": (values: readonly (number | bigint)[]) => requoted(`{${values.join(",")}}`),
  "text[]": (values: readonly string[]) => requoted(arrayLiteral("text", values)),
};

/** `{…}` of one column. Joined, not added up: a long chain of added strings costs more to flatten than to build. */
export function arrayLiteral<T extends ColumnType>(type: T, values: readonly (ColumnValues[T] | null)[]): string {
  if (values.length === 0) return "{}";
  const encode = encoders[type] as (value: ColumnValues[T]) => string;
  const parts = new Array<string>(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    parts[i] = value === null || value === undefined ? "NULL" : encode(value);
  }
  parts[0] = `{${parts[0]}`;
  parts[values.length - 1] += "}";
  return parts.join(",");
}

// unnest() would flatten an array of arrays: those columns travel as text and are cast in the select list.
const TRAVELS_AS: Partial<Record<ColumnType, string>> = { "int8[]": "text", "text[]": "text" };

export interface FromSet {
  /** A sub-select with one row per row of the set, to be used as a FROM item; give it an alias. */
  readonly text: string;
  readonly params: string[];
}

/**
 * Rows as a FROM item: `SELECT … FROM ${set.text} AS r JOIN …`. Parameters are numbered from `firstParam`.
 *
 * The values of a `bytea` column travel as one base64 text, cut up again by their lengths: hex in an array literal
 * would be half as long again, and cost an escape for each value on both sides.
 */
export function fromSet<const C extends Columns>(columns: C, rows: readonly Row<C>[], firstParam = 1): FromSet {
  const params: string[] = [];
  const selected: string[] = [];
  const arrays: string[] = [];
  const unfolded: string[] = [];
  const blobs: string[] = [];
  const next = (param: string) => `$${firstParam + params.push(param) - 1}`;
  for (const [name, type] of Object.entries(columns)) {
    const values = rows.map((row) => row[name] as never);
    if (type === "bytea") {
      const { bytes, begins, lengths } = concatenated(values);
      arrays.push(`${next(begins)}::int4[]`, `${next(lengths)}::int4[]`);
      unfolded.push(`${name}_begin`, `${name}_length`);
      blobs.push(`decode(${next(bytes)}::text, 'base64') AS ${name}_bytes`);
      selected.push(`substring(b.${name}_bytes FROM u.${name}_begin FOR u.${name}_length) AS ${name}`);
      continue;
    }
    const travelling = TRAVELS_AS[type];
    arrays.push(`${next(arrayLiteral(type, values))}::${travelling ?? type}[]`);
    unfolded.push(name);
    selected.push(travelling === undefined ? `u.${name}` : `u.${name}::${type} AS ${name}`);
  }
  // OFFSET 0 keeps the planner from decoding once per row.
  const decoded = blobs.length === 0 ? "" : `, (SELECT ${blobs.join(", ")} OFFSET 0) AS b`;
  return { text: `(SELECT ${selected.join(", ")} FROM unnest(${arrays.join(", ")}) AS u(${unfolded.join(", ")})${decoded})`, params };
}

/** All values behind each other, and where each begins (from 1, as SQL counts) and how long it is; NULL for null. */
function concatenated(values: readonly (Buffer | null)[]): { bytes: string; begins: string; lengths: string } {
  const present: Buffer[] = [];
  const begins: (number | null)[] = [];
  let begin = 1;
  for (const value of values) {
    begins.push(value === null ? null : begin);
    if (value === null) continue;
    present.push(value);
    begin += value.length;
  }
  const lengths = values.map((value) => (value === null ? null : value.length));
  return {
    bytes: Buffer.concat(present, begin - 1).toString("base64"),
    begins: arrayLiteral("int4", begins),
    lengths: arrayLiteral("int4", lengths),
  };
}

/**
 * INSERT of all rows by one statement. `suffix` is what follows, e.g. `ON CONFLICT DO NOTHING` or `RETURNING id`.
 * Does nothing for no rows.
 */
export async function insertSet<const C extends Columns>(
  tx: Tx | Sql,
  table: string,
  columns: C,
  rows: readonly Row<C>[],
  suffix = "",
): Promise<readonly Record<string, unknown>[]> {
  if (rows.length === 0) return [];
  const set = fromSet(columns, rows);
  const names = Object.keys(columns)
    .map((name) => `"${name}"`)
    .join(", ");
  return tx.unsafe(`INSERT INTO ${table} (${names}) SELECT * FROM ${set.text} AS r ${suffix}`, set.params, { prepare: true });
}

/**
 * UPDATE of all rows by one statement: `key` columns find the row, the others are set.
 * Does nothing for no rows.
 */
export async function updateSet<const C extends Columns>(
  tx: Tx | Sql,
  table: string,
  key: readonly (keyof C & string)[],
  columns: C,
  rows: readonly Row<C>[],
): Promise<void> {
  if (rows.length === 0) return;
  const set = fromSet(columns, rows);
  const assigned = Object.keys(columns).filter((name) => !key.includes(name));
  const assignments = assigned.map((name) => `"${name}" = r.${name}`).join(", ");
  const match = key.map((name) => `t."${name}" = r.${name}`).join(" AND ");
  await tx.unsafe(`UPDATE ${table} AS t SET ${assignments} FROM ${set.text} AS r WHERE ${match}`, set.params, { prepare: true });
}
