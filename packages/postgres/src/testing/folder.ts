import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Rights } from "../rights.ts";
import type { Migrations } from "../migrate.ts";

export interface MigrationsFolder {
  /** The first `count` of the files. */
  upTo(count: number, rights?: Rights): Migrations;
  remove(): Promise<void>;
}

/** Migrations of one schema, a text each, as drizzle-kit would have written them. */
export async function migrationsFolder(schema: string, files: readonly string[]): Promise<MigrationsFolder> {
  const root = await mkdtemp(join(tmpdir(), "perkstream-migrations-"));
  const entries = files.map((_, idx) => ({ idx, version: "7", when: 1_000 * (idx + 1), tag: tagOf(idx), breakpoints: true }));
  for (let count = 1; count <= files.length; count++) {
    const folder = join(root, String(count));
    await mkdir(join(folder, "meta"), { recursive: true });
    const journal = { version: "7", dialect: "postgresql", entries: entries.slice(0, count) };
    await writeFile(join(folder, "meta", "_journal.json"), JSON.stringify(journal));
    for (const [index, text] of files.slice(0, count).entries()) await writeFile(join(folder, `${tagOf(index)}.sql`), text);
  }
  return {
    upTo: (count, rights) => ({ schema, folder: join(root, String(count)), ...(rights === undefined ? {} : { rights }) }),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

function tagOf(index: number): string {
  return `${String(index).padStart(4, "0")}_step`;
}
