import { binaryArray, type BinaryParameter } from "./binary.ts";
import type { Tx, Sql } from "./connect.ts";

/**
 * Set-based writes: one statement per table, whatever the number of rows. Each column travels as one array
 * parameter in PostgreSQL's binary form (binary.ts) and comes back as rows through `unnest` in a select list, which hands them on one by
 * one; in FROM each array would first be stored as a table of its own.
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

const NEEDS_QUOTES = /^$|[\s{}",\\]|^null$/i;

function quoted(text: string): string {
  if (!NEEDS_QUOTES.test(text)) return text;
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** `{…}`, the text form of an array of integers or UUIDs, for a parameter of a statement of one's own. */
export function arrayLiteral(values: readonly (number | bigint | string)[]): string {
  return `{${values.join(",")}}`;
}

/** `{…}`, the text form of an array of texts. */
export function textsLiteral(values: readonly string[]): string {
  return `{${values.map(quoted).join(",")}}`;
}

function column(type: ColumnType, values: readonly never[]): BinaryParameter {
  // unnest() would flatten an array of arrays: those columns travel as texts and are cast in the select list.
  if (type === "int8[]") return binaryArray.text(values.map((value) => (value === null ? null : arrayLiteral(value))));
  if (type === "text[]") return binaryArray.text(values.map((value) => (value === null ? null : textsLiteral(value))));
  return binaryArray[type](values);
}

const TRAVELS_AS: Partial<Record<ColumnType, string>> = { "int8[]": "text", "text[]": "text" };

export type SetParameter = BinaryParameter;

export interface FromSet {
  /** A sub-select with one row per row of the set, to be used as a FROM item; give it an alias. */
  readonly text: string;
  readonly params: SetParameter[];
}

/** Rows as a FROM item: `SELECT … FROM ${set.text} AS r JOIN …`. Parameters are numbered from `firstParam`. */
export function fromSet<const C extends Columns>(columns: C, rows: readonly Row<C>[], firstParam = 1): FromSet {
  const types = Object.entries(columns);
  const params = types.map(([name, type]) =>
    column(
      type,
      rows.map((row) => row[name] as never),
    ),
  );
  const selected = types.map(([name, type], i) => {
    const travels = TRAVELS_AS[type];
    const column = `unnest($${firstParam + i}::${travels ?? type}[])`;
    return `${travels === undefined ? column : `${column}::${type}`} AS "${name}"`;
  });
  return { text: `(SELECT ${selected.join(", ")})`, params };
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
