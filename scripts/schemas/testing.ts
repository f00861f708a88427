import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { schemasFolder } from "./register.ts";

interface FieldJson {
  name: string;
  type: unknown;
  default?: unknown;
}
export interface SchemaJson {
  name: string;
  namespace: string;
  fields: FieldJson[];
}

/** A copy of schemas/ in a temporary folder, for tests that change it. */
export async function copyOfSchemas() {
  const root = await mkdtemp(join(tmpdir(), "perkstream-schemas-"));
  await cp(schemasFolder, root, { recursive: true });
  return {
    root,
    edit: async (path: string, change: (json: SchemaJson) => void) => {
      const file = join(root, path);
      const json = JSON.parse(await readFile(file, "utf8")) as SchemaJson;
      change(json);
      await writeFile(file, JSON.stringify(json));
    },
    write: (path: string, text: string) => writeFile(join(root, path), text),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
