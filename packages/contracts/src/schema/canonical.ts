import { isPrimitive, type Schema } from "./model.ts";

/**
 * The Parsing Canonical Form of the Avro specification: two schemas with the same text write the same bytes and read them
 * alike, whatever their docs, defaults, aliases and order of attributes.
 */
export function canonicalForm(schema: Schema): string {
  return write(schema, new Set());
}

function write(schema: Schema, seen: Set<string>): string {
  if (isPrimitive(schema)) return JSON.stringify(schema.kind);
  if (schema.kind === "union") return `[${schema.branches.map((branch) => write(branch, seen)).join(",")}]`;
  if (schema.kind === "array") return `{"type":"array","items":${write(schema.items, seen)}}`;
  if (schema.kind === "map") return `{"type":"map","values":${write(schema.values, seen)}}`;
  const name = JSON.stringify(schema.name);
  if (seen.has(schema.name)) return name;
  seen.add(schema.name);
  if (schema.kind === "fixed") return `{"name":${name},"type":"fixed","size":${schema.size}}`;
  if (schema.kind === "enum") return `{"name":${name},"type":"enum","symbols":${JSON.stringify(schema.symbols)}}`;
  const fields = schema.fields.map((field) => `{"name":${JSON.stringify(field.name)},"type":${write(field.schema, seen)}}`);
  return `{"name":${name},"type":"record","fields":[${fields.join(",")}]}`;
}
