import { drizzle } from "drizzle-orm/postgres-js";
import { migrate as runMigrations } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";

/** Forward-only SQL files of one schema. `folder` is absolute. */
export interface Migrations {
  readonly schema: string;
  readonly folder: string;
}

/** Any two processes that migrate one database wait for each other on this advisory lock. */
const MIGRATION_LOCK = 7_265_001;

/** Applies what is missing, one schema after the other, under an advisory lock. Safe to run at every start. */
export async function migrate(url: string, all: readonly Migrations[]): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connection: { application_name: "perkstream-migrate" } });
  try {
    await sql`SELECT pg_advisory_lock(${MIGRATION_LOCK})`;
    for (const { schema, folder } of all) {
      await runMigrations(drizzle(sql), { migrationsFolder: folder, migrationsSchema: "migrations", migrationsTable: schema });
    }
  } finally {
    await sql.end({ timeout: 5 });
  }
}
