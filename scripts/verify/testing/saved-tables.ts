import type { Sql } from "@perkstream/postgres";

export interface Saved {
  /** Every table is again as it was. */
  restore(): Promise<void>;
}

/** Copies all tables of some schemas, to undo what a test plants. */
export async function saveTables(sql: Sql, schemas: readonly string[]): Promise<Saved> {
  const tables = await sql.unsafe<{ schema: string; name: string }[]>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname = ANY($1::text[]) ORDER BY n.nspname, c.relname <> 'campaign', c.relname`,
    [`{${schemas.join(",")}}`],
  );
  await sql.unsafe(`CREATE SCHEMA saved`);
  for (const { schema, name } of tables) await sql.unsafe(`CREATE TABLE saved."${schema}_${name}" AS TABLE ${schema}."${name}"`);
  const all = tables.map(({ schema, name }) => `${schema}."${name}"`).join(", ");
  const fill = tables.map(
    ({ schema, name }) => `INSERT INTO ${schema}."${name}" OVERRIDING SYSTEM VALUE SELECT * FROM saved."${schema}_${name}"`,
  );
  return { restore: async () => void (await sql.unsafe(`TRUNCATE ${all}; ${fill.join("; ")}`)) };
}
