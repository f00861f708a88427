import type { ColumnType } from "@perkstream/postgres";

/** SQL types that a program's own columns may have. Read back: int4 as number, int8 as bigint, timestamptz as ms. */
export type ExtraType = Extract<ColumnType, "int4" | "int8" | "text" | "bool" | "timestamptz" | "jsonb">;

/** Types of the program's own columns by SQL name, the same names as given to `orderTables`. */
export type ExtraTypes<X> = { readonly [K in keyof X & string]: ExtraType };

/** The columns of `types`, in one fixed order. */
export function extraNames<X>(types: ExtraTypes<X>): readonly (keyof X & string)[] {
  return Object.keys(types) as (keyof X & string)[];
}

/** A row's own columns as the program typed them. */
export function readExtra<X>(types: ExtraTypes<X>, names: readonly (keyof X & string)[], row: Readonly<Record<string, unknown>>): X {
  const extra: Partial<X> = {};
  for (const name of names) {
    const value = row[name];
    extra[name] = (types[name] === "timestamptz" && value instanceof Date ? value.getTime() : value) as X[typeof name];
  }
  return extra as X;
}

/** `, t."level_before", …` for a select list. */
export function extraList(names: readonly string[], alias: string): string {
  return names.map((name) => `, ${alias}."${name}"`).join("");
}
