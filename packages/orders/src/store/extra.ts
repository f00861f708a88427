import type { ColumnType } from "@perkstream/postgres";

/**
 * SQL types that a program's own columns may have. Read back: int4 as number, int8 as bigint, timestamptz as ms.
 * `json` is a text column that holds JSON: for what every order has, since jsonb takes three times as long to store.
 */
export type ExtraType = Extract<ColumnType, "int4" | "int8" | "text" | "bool" | "timestamptz" | "jsonb"> | "json";

/** Types of the program's own columns by SQL name, the same names as given to `orderTables`. */
export type ExtraTypes<X> = { readonly [K in keyof X & string]: ExtraType };

/** The columns of `types`, in one fixed order. */
export function extraNames<X>(types: ExtraTypes<X>): readonly (keyof X & string)[] {
  return Object.keys(types) as (keyof X & string)[];
}

/** The columns as they are sent. */
export function sentTypes<X>(types: ExtraTypes<X>): Record<string, ColumnType> {
  const entries = Object.entries<ExtraType>(types).map(([name, type]): [string, ColumnType] => [name, type === "json" ? "text" : type]);
  return Object.fromEntries(entries);
}

/** A value as it is sent. */
export function sentValue(type: ExtraType, value: unknown): unknown {
  return type === "json" && value !== null && value !== undefined ? JSON.stringify(value) : value;
}

/** A row's own columns as the program typed them. */
export function readExtra<X>(types: ExtraTypes<X>, names: readonly (keyof X & string)[], row: Readonly<Record<string, unknown>>): X {
  const extra: Partial<X> = {};
  for (const name of names) {
    const value = row[name];
    extra[name] = readValue(types[name], value) as X[typeof name];
  }
  return extra as X;
}

function readValue(type: ExtraType, value: unknown): unknown {
  if (type === "timestamptz" && value instanceof Date) return value.getTime();
  if (type === "json" && typeof value === "string") return JSON.parse(value);
  return value;
}

/** `, t."level_before", …` for a select list. */
export function extraList(names: readonly string[], alias: string): string {
  return names.map((name) => `, ${alias}."${name}"`).join("");
}
