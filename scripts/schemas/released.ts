import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRecord, type RecordSchema, SchemaError, shortName } from "@perkstream/contracts/schema";
import { readSchemas, readTopics } from "./folder.ts";

/**
 * Versions that were released, committed so that compatibility can be checked without a registry:
 * `schemas/released/<family>/<Record>.<n>.avsc`, n from 1 on. They are only ever added to.
 */
export interface ReleasedVersion {
  readonly family: string;
  /** The record's name without its namespace. */
  readonly name: string;
  readonly version: number;
  readonly record: RecordSchema;
  readonly text: string;
}

const fileName = /^([A-Za-z_][A-Za-z0-9_]*)\.([1-9][0-9]*)\.avsc$/;

/** Every released version, oldest first. */
export async function readReleased(schemasRoot: string): Promise<ReleasedVersion[]> {
  const versions: ReleasedVersion[] = [];
  for (const family of Object.keys(await readTopics(schemasRoot))) {
    const folder = join(schemasRoot, "released", family);
    for (const file of await readdir(folder).catch(() => [])) {
      const match = fileName.exec(file);
      if (match === null) throw new SchemaError(`schemas/released/${family}/${file}: the name must be <Record>.<version>.avsc`);
      const text = await readFile(join(folder, file), "utf8");
      versions.push({
        family,
        name: match[1] ?? "",
        version: Number(match[2]),
        record: parseRecord(text),
        text: JSON.stringify(JSON.parse(text)),
      });
    }
  }
  return versions.sort((a, b) => a.version - b.version);
}

/** Adds today's schemas as released versions where they differ from the last; the paths written. */
export async function release(schemasRoot: string): Promise<string[]> {
  const released = await readReleased(schemasRoot);
  const written: string[] = [];
  for (const { family, record, text } of await readSchemas(schemasRoot)) {
    const name = shortName(record.name);
    const last = released.findLast((version) => version.family === family && version.name === name);
    // Docs and defaults count too: a default is what readers fill in.
    if (last !== undefined && last.text === text) continue;
    const path = join("released", family, `${name}.${(last?.version ?? 0) + 1}.avsc`);
    await mkdir(join(schemasRoot, "released", family), { recursive: true });
    await writeFile(join(schemasRoot, path), `${JSON.stringify(JSON.parse(text), null, 2)}\n`);
    written.push(path);
  }
  return written;
}
