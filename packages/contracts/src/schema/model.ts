/**
 * Avro schemas as objects with every name resolved. Made from the JSON of an `.avsc` file or of the registry; whatever the
 * specification does not allow is a SchemaError with the place.
 */

const primitives = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] as const;
type PrimitiveKind = (typeof primitives)[number];

export interface PrimitiveSchema {
  readonly kind: PrimitiveKind;
  readonly logicalType?: string;
}
export interface RecordSchema {
  readonly kind: "record";
  readonly name: string;
  readonly aliases: readonly string[];
  readonly doc?: string;
  readonly fields: FieldSchema[];
}
export interface EnumSchema {
  readonly kind: "enum";
  readonly name: string;
  readonly aliases: readonly string[];
  readonly symbols: readonly string[];
  readonly default?: string;
}
interface FixedSchema {
  readonly kind: "fixed";
  readonly name: string;
  readonly aliases: readonly string[];
  readonly size: number;
}
export interface ArraySchema {
  readonly kind: "array";
  readonly items: Schema;
}
interface MapSchema {
  readonly kind: "map";
  readonly values: Schema;
}
export interface UnionSchema {
  readonly kind: "union";
  readonly branches: readonly Schema[];
}
export type NamedSchema = RecordSchema | EnumSchema | FixedSchema;
export type Schema = PrimitiveSchema | NamedSchema | ArraySchema | MapSchema | UnionSchema;

export interface FieldSchema {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly doc?: string;
  readonly schema: Schema;
  /** Present, though it may be null, when the field has a default. */
  readonly default?: { readonly value: unknown };
}

export class SchemaError extends Error {
  override readonly name = "SchemaError";
}

/** The part of a full name after its last dot. */
export function shortName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf(".") + 1);
}

/** The part of a full name before its last dot, empty without one. */
export function namespaceOf(fullName: string): string {
  return fullName.slice(0, Math.max(0, fullName.lastIndexOf(".")));
}

export function isNamed(schema: Schema): schema is NamedSchema {
  return schema.kind === "record" || schema.kind === "enum" || schema.kind === "fixed";
}

/** Reads the JSON text of a schema. Throws SchemaError. */
export function parseSchema(text: string): Schema {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SchemaError(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return new Parser().parse(json, "", "");
}

/** Reads the JSON text of a record schema. Throws SchemaError. */
export function parseRecord(text: string): RecordSchema {
  const schema = parseSchema(text);
  if (schema.kind !== "record") throw new SchemaError(`a ${schema.kind} where a record is wanted`);
  return schema;
}

/** The specification sets no limit; a schema of a registry must not overflow the stack. */
const maxDepth = 64;

class Parser {
  private readonly named = new Map<string, NamedSchema>();
  private depth = 0;

  parse(json: unknown, namespace: string, path: string): Schema {
    this.depth += 1;
    if (this.depth > maxDepth) throw new SchemaError(`${at(path)}nested more than ${maxDepth} deep`);
    const schema = this.any(json, namespace, path);
    this.depth -= 1;
    return schema;
  }

  private any(json: unknown, namespace: string, path: string): Schema {
    if (typeof json === "string") return this.reference(json, namespace, path);
    if (Array.isArray(json)) return this.union(json, namespace, path);
    if (!isObject(json)) throw new SchemaError(`${at(path)}no schema`);
    const { type } = json;
    if (typeof type !== "string") return this.parse(type, namespace, path);
    switch (type) {
      case "record":
        return this.record(json, namespace, path);
      case "enum":
        return this.enumeration(json, namespace, path);
      case "fixed":
        return this.fixed(json, namespace, path);
      case "array":
        return { kind: "array", items: this.parse(json["items"], namespace, path) };
      case "map":
        return { kind: "map", values: this.parse(json["values"], namespace, path) };
      default:
        return withLogicalType(this.reference(type, namespace, path), json["logicalType"]);
    }
  }

  private reference(name: string, namespace: string, path: string): Schema {
    const kind = primitives.find((primitive) => primitive === name);
    if (kind !== undefined) return { kind };
    const known = this.named.get(qualify(name, namespace)) ?? this.named.get(name);
    if (known === undefined) throw new SchemaError(`${at(path)}unknown type ${name}`);
    return known;
  }

  private union(json: readonly unknown[], namespace: string, path: string): UnionSchema {
    const branches = json.map((branch) => this.parse(branch, namespace, path));
    const names = branches.map((branch) => (isNamed(branch) ? branch.name : branch.kind));
    if (branches.length === 0) throw new SchemaError(`${at(path)}an empty union`);
    if (names.includes("union")) throw new SchemaError(`${at(path)}a union directly within a union`);
    if (new Set(names).size < names.length) throw new SchemaError(`${at(path)}a union with the same type twice`);
    return { kind: "union", branches };
  }

  private record(json: JsonObject, namespace: string, path: string): RecordSchema {
    const { name, aliases } = this.names(json, namespace, path);
    const { doc, fields } = json;
    if (!Array.isArray(fields)) throw new SchemaError(`${at(path || name)}a record without fields`);
    const record: RecordSchema = { kind: "record", name, aliases, fields: [], ...(typeof doc === "string" && { doc }) };
    this.define(record, path);
    for (const field of fields as readonly unknown[]) {
      const parsed = this.field(field, namespaceOf(name), path || name);
      if (record.fields.some((other) => other.name === parsed.name)) throw new SchemaError(`${at(path || name)}field ${parsed.name} twice`);
      record.fields.push(parsed);
    }
    return record;
  }

  private field(json: unknown, namespace: string, path: string): FieldSchema {
    if (!isObject(json) || !isName(json["name"])) throw new SchemaError(`${at(path)}a field without a name`);
    const { name, doc } = json;
    const schema = this.parse(json["type"], namespace, `${path}.${name}`);
    return {
      name,
      aliases: aliasesOf(json["aliases"], ""),
      schema,
      ...(typeof doc === "string" && { doc }),
      ...("default" in json && { default: { value: json["default"] } }),
    };
  }

  private enumeration(json: JsonObject, namespace: string, path: string): EnumSchema {
    const { name, aliases } = this.names(json, namespace, path);
    const { symbols } = json;
    if (!Array.isArray(symbols) || !symbols.every(isName) || symbols.length === 0 || new Set(symbols).size < symbols.length) {
      throw new SchemaError(`${at(path || name)}an enum needs different symbols`);
    }
    const fallback = json["default"];
    if (fallback !== undefined && !symbols.some((symbol) => symbol === fallback))
      throw new SchemaError(`${at(path || name)}the default is no symbol`);
    return this.define({ kind: "enum", name, aliases, symbols, ...(typeof fallback === "string" && { default: fallback }) }, path);
  }

  private fixed(json: JsonObject, namespace: string, path: string): FixedSchema {
    const { name, aliases } = this.names(json, namespace, path);
    const { size } = json;
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
      throw new SchemaError(`${at(path || name)}a fixed without a size`);
    return this.define({ kind: "fixed", name, aliases, size }, path);
  }

  private names(json: JsonObject, namespace: string, path: string): { name: string; aliases: string[] } {
    const { name, namespace: own } = json;
    if (typeof name !== "string" || !name.split(".").every(isName)) throw new SchemaError(`${at(path)}a type without a name`);
    const full = qualify(name, typeof own === "string" ? own : namespace);
    return { name: full, aliases: aliasesOf(json["aliases"], namespaceOf(full)) };
  }

  private define<T extends NamedSchema>(schema: T, path: string): T {
    if (this.named.has(schema.name)) throw new SchemaError(`${at(path)}type ${schema.name} is defined twice`);
    this.named.set(schema.name, schema);
    return schema;
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(json: unknown): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function isName(text: unknown): text is string {
  return typeof text === "string" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

function aliasesOf(json: unknown, namespace: string): string[] {
  return Array.isArray(json) ? json.filter((alias) => typeof alias === "string").map((alias) => qualify(alias, namespace)) : [];
}

function qualify(name: string, namespace: string): string {
  return name.includes(".") || namespace === "" ? name : `${namespace}.${name}`;
}

function withLogicalType(schema: Schema, logicalType: unknown): Schema {
  return typeof logicalType === "string" && isPrimitive(schema) ? { ...schema, logicalType } : schema;
}

export function isPrimitive(schema: Schema): schema is PrimitiveSchema {
  return primitives.some((kind) => kind === schema.kind);
}

function at(path: string): string {
  return path === "" ? "" : `${path}: `;
}
