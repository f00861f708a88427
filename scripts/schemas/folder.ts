import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { namespaceOf, parseRecord, type RecordSchema, SchemaError, shortName } from "@perkstream/contracts/schema";

/** One `.avsc` file of schemas/: a record type of a topic. */
export interface SchemaFile {
  /** The folder's name, as `orders`: what the generated names begin with. */
  readonly family: string;
  readonly topic: string;
  readonly subject: string;
  /** Path within schemas/, for messages. */
  readonly path: string;
  readonly record: RecordSchema;
  /** The one serialization that is registered and compared: the file's JSON without white space. */
  readonly text: string;
}

/** Every schema of schemas/, by family in the order of topics.json, then by name. Throws SchemaError with the file's name. */
export async function readSchemas(root: string): Promise<SchemaFile[]> {
  const topics = await readTopics(root);
  const files: SchemaFile[] = [];
  for (const [family, topic] of Object.entries(topics)) {
    const names = (await readdir(join(root, family))).filter((name) => name.endsWith(".avsc")).sort();
    for (const name of names) files.push(await readSchema(root, family, topic, name));
  }
  return files;
}

/** topics.json: which topic a folder's records are published to. */
export async function readTopics(root: string): Promise<Record<string, string>> {
  const json: unknown = JSON.parse(await readFile(join(root, "topics.json"), "utf8"));
  if (typeof json !== "object" || json === null) throw new SchemaError("topics.json: not an object");
  const topics: Record<string, string> = {};
  for (const [family, topic] of Object.entries(json)) {
    if (typeof topic !== "string" || !/^[a-z][a-z0-9-]*\.v[1-9][0-9]*$/.test(topic)) {
      throw new SchemaError(`topics.json: the topic of ${family} must be a name and a major version, as orders.v1`);
    }
    topics[family] = topic;
  }
  return topics;
}

async function readSchema(root: string, family: string, topic: string, name: string): Promise<SchemaFile> {
  const path = join(family, name);
  const source = await readFile(join(root, path), "utf8");
  try {
    const record = parseRecord(source);
    if (shortName(record.name) !== basename(name, ".avsc")) throw new SchemaError(`holds ${record.name}: name the file after its record`);
    if (namespaceOf(record.name) !== `perkstream.${family}`) throw new SchemaError(`the namespace must be perkstream.${family}`);
    return { family, topic, subject: `${topic}-${record.name}`, path, record, text: JSON.stringify(JSON.parse(source)) };
  } catch (error) {
    if (error instanceof SchemaError) throw new SchemaError(`schemas/${path}: ${error.message}`);
    throw error;
  }
}
