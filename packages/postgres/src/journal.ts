import { readFileSync } from "node:fs";
import { join } from "node:path";
import type postgres from "postgres";
import { MIGRATIONS_SCHEMA } from "./rights.ts";

interface JournalEntry {
  readonly tag: string;
  /** When it was made (ms): the order, and what the database stores of it. */
  readonly when: number;
}

/** How a schema of a database compares with the files of this process. */
export interface SchemaState {
  readonly schema: string;
  /** Files that were not applied, in order. */
  readonly missing: readonly string[];
  /** The database has a migration that this process does not know: it was migrated by a newer version. */
  readonly newer: boolean;
}

/** A schema that was never migrated lacks everything; so does one of which the role may not read what was applied. */
export async function schemaStates(
  sql: postgres.Sql,
  all: readonly { readonly schema: string; readonly folder: string }[],
): Promise<SchemaState[]> {
  const states: SchemaState[] = [];
  for (const { schema, folder } of all) {
    const applied = await lastApplied(sql, schema);
    const entries = journalOf(folder);
    states.push({
      schema,
      missing: entries.filter(({ when }) => when > applied).map(({ tag }) => tag),
      newer: applied > Math.max(0, ...entries.map(({ when }) => when)),
    });
  }
  return states;
}

async function lastApplied(sql: postgres.Sql, schema: string): Promise<number> {
  const [table] = await sql<{ readable: boolean }[]>`
    SELECT has_table_privilege(c.oid, 'SELECT') AS readable
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ${MIGRATIONS_SCHEMA} AND c.relname = ${schema}`;
  if (table?.readable !== true) return 0;
  const [row] = await sql<{ last: string | null }[]>`SELECT max(created_at)::text AS last FROM ${sql(MIGRATIONS_SCHEMA)}.${sql(schema)}`;
  return Number(row?.last ?? 0);
}

function journalOf(folder: string): JournalEntry[] {
  const journal = JSON.parse(readFileSync(join(folder, "meta", "_journal.json"), "utf8")) as { readonly entries: JournalEntry[] };
  return journal.entries;
}
