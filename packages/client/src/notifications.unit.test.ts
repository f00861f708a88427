import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

/* The types are written by hand, with their docs; this holds them to the Avro schemas, field by field. */

type AvroType = string | AvroType[] | { type: string; logicalType?: string; items?: AvroType; symbols?: string[] };
interface AvroRecord {
  name: string;
  fields: { name: string; type: AvroType }[];
}

function tsType(type: AvroType): string {
  if (Array.isArray(type)) return [...type.filter((t) => t !== "null").map(tsType), "null"].join(" | ");
  if (type === "string") return "string";
  if (type === "long") return "number";
  if (typeof type === "object") {
    if (type.logicalType === "timestamp-millis") return "string";
    if (type.items !== undefined) return `${tsType(type.items)}[]`;
    if (type.symbols !== undefined) return type.symbols.map((symbol) => `"${symbol}"`).join(" | ");
  }
  throw new Error(`no JSON for ${JSON.stringify(type)}`);
}

function fieldsOf(source: string, name: string): string[] {
  const body = new RegExp(`interface ${name}(?: extends Common)? \\{([^}]*)\\}`).exec(source)?.[1] ?? "";
  return [...body.matchAll(/^ {2}(\w+: .*);$/gm)].map((match) => match[1] ?? "");
}

const folder = new URL("../../../schemas/notifications/", import.meta.url);
const source = readFileSync(new URL("notifications.ts", import.meta.url), "utf8");
const records = readdirSync(folder)
  .filter((file) => file.endsWith(".avsc"))
  .map((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as AvroRecord);

it.each(records)("$name has the fields of its schema", ({ name, fields }) => {
  const expected = fields.map((field) => `${field.name}: ${tsType(field.type)}`);
  expect([...fieldsOf(source, "Common"), ...fieldsOf(source, name)]).toEqual(expected);
});

it("lists every schema", () => {
  const listed = fieldsOf(source, "Notifications").map((line) => line.split(":")[0]);
  expect(listed).toEqual(records.map((record) => record.name).toSorted());
});
