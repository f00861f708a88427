import type { AvroReader } from "../avro/reader.ts";
import { type RecordSchema, type Schema, SchemaError } from "./model.ts";

/**
 * Reads any record by its writer's schema into plain JSON values: longs are numbers, timestamps ISO text, enums text, bytes
 * base64, nulls written. As strict as the generated readers.
 */
export type JsonReader = (reader: AvroReader) => unknown;

/** No schema of a sane registry comes near; bounds what a hostile one can make us build or walk. */
const maxNodes = 10_000;
const maxTime = 8.64e15;

/** Throws SchemaError for schemas without a bound: recursive ones, and arrays whose items take no bytes. */
export function compileJsonReader(schema: RecordSchema): JsonReader {
  return new Compiler().compile(schema, "");
}

class Compiler {
  private nodes = 0;
  private readonly open = new Set<string>();

  compile(schema: Schema, path: string): JsonReader {
    this.nodes += 1;
    if (this.nodes > maxNodes) throw new SchemaError(`more than ${maxNodes} types`);
    switch (schema.kind) {
      case "null":
        return () => null;
      case "boolean":
        return (r) => r.boolean(path);
      case "int":
        return (r) => r.int(path);
      case "long":
        return schema.logicalType === "timestamp-millis" ? (r) => instant(Number(r.long(path))) : (r) => Number(r.long(path));
      case "float":
        return (r) => r.float(path);
      case "double":
        return (r) => r.double(path);
      case "string":
        return (r) => r.string(path);
      case "bytes":
        return (r) => r.binary(path).toString("base64");
      case "fixed":
        return (r) => r.fixed(path, schema.size).toString("base64");
      case "enum":
        return (r) => schema.symbols[r.index(path, schema.symbols.length, "enum")];
      case "record":
        return this.record(schema, path);
      case "array":
        return this.array(schema.items, path);
      case "map":
        return this.map(schema.values, path);
      default:
        return this.union(schema.branches, path);
    }
  }

  private union(schemas: readonly Schema[], path: string): JsonReader {
    const branches = schemas.map((branch) => this.compile(branch, path));
    return (r) => branches[r.index(path, branches.length, "union")]?.(r);
  }

  private record(schema: RecordSchema, path: string): JsonReader {
    if (this.open.has(schema.name)) throw new SchemaError(`${schema.name}: recursive types are not supported`);
    this.open.add(schema.name);
    const fields = schema.fields.map((field) => {
      const read = this.compile(field.schema, path === "" ? field.name : `${path}.${field.name}`);
      return { name: field.name, read };
    });
    this.open.delete(schema.name);
    return (r) => Object.fromEntries(fields.map(({ name, read }) => [name, read(r)]));
  }

  private array(items: Schema, path: string): JsonReader {
    const least = minBytes(items);
    if (least === 0) throw new SchemaError(`${path}: items that may take no bytes are not supported`);
    const read = this.compile(items, `${path}[]`);
    return (r) => {
      const values: unknown[] = [];
      for (let count = r.block(path, least); count > 0; count = r.block(path, least)) {
        for (; count > 0; count -= 1) values.push(read(r));
      }
      return values;
    };
  }

  private map(items: Schema, path: string): JsonReader {
    const read = this.compile(items, `${path}{}`);
    // A key takes a byte at least.
    const least = 1 + minBytes(items);
    return (r) => {
      const entries: [string, unknown][] = [];
      for (let count = r.block(path, least); count > 0; count = r.block(path, least)) {
        for (; count > 0; count -= 1) entries.push([r.string(path), read(r)]);
      }
      return Object.fromEntries(entries);
    };
  }
}

/**
 * Whether a value takes bytes at all, cut at one: enough to bound the count of a block. Each record is looked into once, since types
 * within types make more ways than there are types; one that is being looked into adds nothing to itself.
 */
function minBytes(schema: Schema, known = new Map<Schema, number>()): number {
  if (schema.kind === "null") return 0;
  if (schema.kind === "fixed") return Math.min(schema.size, 1);
  if (schema.kind !== "record") return 1;
  const found = known.get(schema);
  if (found !== undefined) return found;
  known.set(schema, 0);
  const least = schema.fields.some((field) => minBytes(field.schema, known) > 0) ? 1 : 0;
  known.set(schema, least);
  return least;
}

/** What no calendar holds stays a number. */
function instant(ms: number): string | number {
  return Math.abs(ms) > maxTime ? ms : new Date(ms).toISOString();
}
