// npm run database -- migrate | describe
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { migrate } from "@perkstream/postgres";
import { allMigrations } from "./database/all-migrations.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const usage = `npm run database -- <command>
  migrate   applies all migrations, roles and rights to DATABASE_URL, whose login owns the database (docs/database.md)
  describe  writes scripts/database/schema.txt anew, from a database of its own`;

process.exitCode = await run(process.argv[2]);

/** The exit code. */
async function run(command: string | undefined): Promise<number> {
  switch (command) {
    case "migrate":
      return migrateAll(process.env["DATABASE_URL"]);
    case "describe":
      return describeAnew();
    default:
      console.error(usage);
      return 2;
  }
}

async function migrateAll(url: string | undefined): Promise<number> {
  if (url === undefined || url === "") {
    console.error("DATABASE_URL is not set: postgres://user:password@host:5432/database, of a login that owns the database.");
    return 2;
  }
  const all = await allMigrations();
  await migrate(url, all);
  console.log(`Migrated: ${all.map(({ schema }) => schema).join(", ")}.`);
  return 0;
}

/** The test that compares the file writes it, too: it has a server. */
async function describeAnew(): Promise<number> {
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", "scripts/database", "--update"], { cwd: root, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
