export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** A JSON schema as escaped HTML in the notation of TypeScript, with links to named schemas. */
export function notation(schema: unknown, indent = 0): string {
  if (!isObject(schema)) return "unknown";
  const ref = schema["$ref"];
  if (typeof ref === "string") return link(ref.slice(ref.lastIndexOf("/") + 1));
  if (Array.isArray(schema["enum"])) return schema["enum"].map(literal).join(" | ");
  if ("const" in schema) return literal(schema["const"]);
  for (const key of ["anyOf", "oneOf"]) {
    const parts = schema[key];
    if (Array.isArray(parts)) return [...new Set(parts.map((part) => notation(part, indent)))].join(" | ");
  }
  if (Array.isArray(schema["allOf"])) return schema["allOf"].map((part) => notation(part, indent)).join(" &amp; ");
  const { type } = schema;
  if (Array.isArray(type)) return type.map((one) => notation({ ...schema, type: one as unknown }, indent)).join(" | ");
  if (type === "array") return `${wrap(notation(schema["items"], indent))}[]`;
  if (type === "object" || isObject(schema["properties"])) return objectNotation(schema, indent);
  return scalar(schema);
}

function objectNotation(schema: JsonObject, indent: number): string {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  const lines = Object.entries(properties).map(
    ([name, property]) => `${pad(indent + 1)}${escapeName(name)}${required.has(name) ? "" : "?"}: ${notation(property, indent + 1)};`,
  );
  if (isObject(schema["additionalProperties"]))
    lines.push(`${pad(indent + 1)}[name]: ${notation(schema["additionalProperties"], indent + 1)};`);
  return lines.length === 0 ? "object" : `{\n${lines.join("\n")}\n${pad(indent)}}`;
}

function scalar(schema: JsonObject): string {
  const type = String(schema["type"] ?? "unknown");
  const notes = [schema["format"], bounds(schema)].filter((note) => typeof note === "string" && note !== "");
  return notes.length === 0 ? escapeName(type) : `${escapeName(type)} <i>${notes.map((note) => escapeName(String(note))).join(", ")}</i>`;
}

function bounds(schema: JsonObject): string {
  const low = schema["minimum"] ?? schema["minLength"];
  const high = schema["maximum"] ?? schema["maxLength"];
  const safe = high === Number.MAX_SAFE_INTEGER ? undefined : high;
  const known = low === Number.MIN_SAFE_INTEGER ? undefined : low;
  if (known === undefined && safe === undefined) return "";
  return `${String(known ?? "")}..${String(safe ?? "")}`;
}

const pad = (indent: number): string => "  ".repeat(indent);
const wrap = (text: string): string => (text.includes(" | ") ? `(${text})` : text);
const literal = (value: unknown): string => escapeName(JSON.stringify(value));
const link = (name: string): string => `<a href="#schema-${escapeName(name)}">${escapeName(name)}</a>`;
const escapeName = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
