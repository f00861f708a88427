import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { migrate, type Migrations } from "../migrate.ts";

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

const TEMPLATE_LOCK = 7_265_002;

/**
 * A database of its own for one test file, copied from a template that is migrated once per set of migrations
 * (so a file costs about 50 ms, not a migration run).
 */
export async function testDatabase(adminUrl: string, migrations: readonly Migrations[]): Promise<TestDatabase> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    const template = `template_${fingerprint(migrations)}`;
    const name = `test_${randomBytes(6).toString("hex")}`;
    await admin`SELECT pg_advisory_lock(${TEMPLATE_LOCK})`;
    const [ready] = await admin`SELECT 1 FROM pg_database WHERE datname = ${template}`;
    if (ready === undefined) await buildTemplate(admin, adminUrl, template, migrations);
    await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    return { url: withDatabase(adminUrl, name), drop: () => dropDatabase(adminUrl, name) };
  } finally {
    await admin.end({ timeout: 5 });
  }
}

async function buildTemplate(admin: postgres.Sql, adminUrl: string, template: string, migrations: readonly Migrations[]): Promise<void> {
  const building = `${template}_building`;
  await admin.unsafe(`DROP DATABASE IF EXISTS ${building}`);
  await admin.unsafe(`CREATE DATABASE ${building}`);
  await migrate(withDatabase(adminUrl, building), migrations);
  await admin.unsafe(`ALTER DATABASE ${building} RENAME TO ${template}`);
}

async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    await admin.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  } finally {
    await admin.end({ timeout: 5 });
  }
}

function fingerprint(migrations: readonly Migrations[]): string {
  const hash = createHash("sha256");
  for (const { schema, folder, rights } of migrations) {
    hash
      .update(schema)
      .update(readFileSync(join(folder, "meta", "_journal.json")))
      .update(JSON.stringify(rights ?? {}));
  }
  return hash.digest("hex").slice(0, 12);
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
