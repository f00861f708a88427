import { type FieldSchema, type Schema, SchemaError, shortName } from "@perkstream/contracts/schema";
import { readSchemas } from "./folder.ts";

const family = "notifications";

/**
 * The types of the client, by file name: what customers can be told, as JSON. Amounts are integers in minor units, times are
 * ISO 8601 in UTC, as docs/push.md says of `data`.
 */
export async function clientFiles(schemasRoot: string): Promise<Map<string, string>> {
  const records = (await readSchemas(schemasRoot)).filter((file) => file.family === family).map(({ record }) => record);
  const interfaces = records.flatMap(({ name, doc, fields }) => [
    ...docOf(doc?.replace(/ Topic .*$/, ""), ""),
    `export interface ${shortName(name)} {`,
    ...fields.flatMap((field) => [...docOf(field.doc, "  "), `  ${memberOf(field)};`]),
    "}",
    "",
  ]);
  const text = [
    "// Made by `npm run schemas -- generate` from schemas/notifications/; do not edit.",
    "",
    ...interfaces,
    "/** Data by notification type. A program of one's own adds its types by declaration merging. */",
    "export interface Notifications {",
    ...records.map(({ name }) => `  ${shortName(name)}: ${shortName(name)};`),
    "}",
    "",
  ].join("\n");
  return new Map([[`${family}.ts`, text]]);
}

function memberOf(field: FieldSchema): string {
  return `${field.name}: ${typeOf(field.schema, field.name)}`;
}

function typeOf(schema: Schema, path: string): string {
  switch (schema.kind) {
    case "string":
    case "boolean":
    case "null":
      return schema.kind;
    case "long":
      return schema.logicalType === "timestamp-millis" ? "string" : "number";
    case "int":
    case "float":
    case "double":
      return "number";
    case "enum":
      return schema.symbols.map((symbol) => `"${symbol}"`).join(" | ");
    case "array": {
      const items = typeOf(schema.items, path);
      return items.includes(" ") ? `(${items})[]` : `${items}[]`;
    }
    case "record":
      return `{ ${schema.fields.map(memberOf).join("; ")} }`;
    case "union":
      return schema.branches
        .toSorted((a, b) => Number(a.kind === "null") - Number(b.kind === "null"))
        .map((branch) => typeOf(branch, path))
        .join(" | ");
    default:
      throw new SchemaError(`${path}: ${schema.kind} has no JSON in notes`);
  }
}

function docOf(doc: string | undefined, indent: string): string[] {
  return doc === undefined || doc === "" ? [] : [`${indent}/** ${doc.replaceAll("*/", "*\\/")} */`];
}
