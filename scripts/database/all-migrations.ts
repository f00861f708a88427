import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Migrations } from "@perkstream/postgres";

const root = fileURLToPath(new URL("../..", import.meta.url));
const fileName = "migrations.ts";

/** Everything that the product keeps in a database: what each `migrations.ts` of packages and services says, by schema. */
export async function allMigrations(): Promise<Migrations[]> {
  const files = (await Promise.all(["packages", "services"].map(migrationFiles))).flat();
  const modules = await Promise.all(files.map(async (file) => (await import(pathToFileURL(file).href)) as { migrations: Migrations }));
  return modules.map(({ migrations }) => migrations).sort((a, b) => (a.schema < b.schema ? -1 : 1));
}

async function migrationFiles(folder: string): Promise<string[]> {
  const members = await readdir(join(root, folder));
  const found = await Promise.all(members.map((member) => filesOf(join(root, folder, member, "src"))));
  return found.flat();
}

async function filesOf(source: string): Promise<string[]> {
  const entries = await readdir(source, { recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.split(sep).at(-1) === fileName && !entry.split(sep).includes("testing"))
    .map((entry) => join(source, entry));
}
