import { isNamed, isPrimitive, namespaceOf, type RecordSchema, type Schema, shortName } from "./model.ts";

/**
 * Schema resolution of the Avro specification as a check: can data of a writer be read by a reader? FULL asks it both ways,
 * FULL_TRANSITIVE of every pair of versions. The rules' names are those of Avro's own checker, which registries answer with.
 */
type CompatibilityRule =
  | "NAME_MISMATCH"
  | "TYPE_MISMATCH"
  | "READER_FIELD_MISSING_DEFAULT_VALUE"
  | "MISSING_ENUM_SYMBOLS"
  | "MISSING_UNION_BRANCH"
  | "FIXED_SIZE_MISMATCH";

export interface Incompatibility {
  /** Path from the top record, as `OrderPlaced.lines.sku`. */
  readonly path: string;
  readonly rule: CompatibilityRule;
  readonly message: string;
}

/** Everything that keeps `reader` from reading what `writer` wrote; empty when it can. */
export function incompatibilities(reader: Schema, writer: Schema): Incompatibility[] {
  const top = isNamed(reader) ? shortName(reader.name) : reader.kind;
  return new Check().compare(reader, writer, top);
}

/** Which kinds of data a primitive reader also takes. */
const promotions: Readonly<Record<string, readonly string[]>> = {
  long: ["int"],
  float: ["int", "long"],
  double: ["int", "long", "float"],
  string: ["bytes"],
  bytes: ["string"],
};

class Check {
  /** Pairs under comparison: a recursive type is compatible where it meets itself. */
  private readonly open = new Set<string>();

  compare(reader: Schema, writer: Schema, path: string): Incompatibility[] {
    if (writer.kind === "union") return writer.branches.flatMap((branch) => this.compare(reader, branch, path));
    if (reader.kind === "union") {
      if (reader.branches.some((branch) => this.compare(branch, writer, path).length === 0)) return [];
      return [{ path, rule: "MISSING_UNION_BRANCH", message: `the reader's union has no branch for ${describe(writer)}` }];
    }
    if (isPrimitive(reader)) {
      if (reader.kind === writer.kind || (promotions[reader.kind] ?? []).includes(writer.kind)) return [];
      return [typeMismatch(reader, writer, path)];
    }
    if (reader.kind === "array" && writer.kind === "array") return this.compare(reader.items, writer.items, path);
    if (reader.kind === "map" && writer.kind === "map") return this.compare(reader.values, writer.values, path);
    if (reader.kind === "record" && writer.kind === "record") return this.records(reader, writer, path);
    if (reader.kind === "enum" && writer.kind === "enum") {
      if (!sameName(reader, writer)) return [nameMismatch(reader.name, writer.name, path)];
      const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol));
      if (missing.length === 0 || reader.default !== undefined) return [];
      return [{ path, rule: "MISSING_ENUM_SYMBOLS", message: `the reader has no symbol ${missing.join(", ")} and no default` }];
    }
    if (reader.kind === "fixed" && writer.kind === "fixed") {
      if (!sameName(reader, writer)) return [nameMismatch(reader.name, writer.name, path)];
      if (reader.size === writer.size) return [];
      return [{ path, rule: "FIXED_SIZE_MISMATCH", message: `the reader has ${reader.size} bytes, the writer ${writer.size}` }];
    }
    return [typeMismatch(reader, writer, path)];
  }

  private records(reader: RecordSchema, writer: RecordSchema, path: string): Incompatibility[] {
    if (!sameName(reader, writer)) return [nameMismatch(reader.name, writer.name, path)];
    const pair = `${reader.name} ${writer.name}`;
    if (this.open.has(pair)) return [];
    this.open.add(pair);
    const found = reader.fields.flatMap((field): Incompatibility[] => {
      const fieldPath = `${path}.${field.name}`;
      const written = writer.fields.find((other) => other.name === field.name || field.aliases.includes(other.name));
      if (written !== undefined) return this.compare(field.schema, written.schema, fieldPath);
      if (field.default !== undefined) return [];
      return [
        {
          path: fieldPath,
          rule: "READER_FIELD_MISSING_DEFAULT_VALUE",
          message: "the writer has no such field and the reader has no default for it",
        },
      ];
    });
    this.open.delete(pair);
    return found;
  }
}

/** Avro's checker compares full names, and the reader's aliases with the writer's full name. */
function sameName(reader: { name: string; aliases: readonly string[] }, writer: { name: string }): boolean {
  return reader.name === writer.name || reader.aliases.includes(writer.name);
}

function nameMismatch(reader: string, writer: string, path: string): Incompatibility {
  const where = namespaceOf(reader) === namespaceOf(writer) ? [shortName(reader), shortName(writer)] : [reader, writer];
  return { path, rule: "NAME_MISMATCH", message: `the reader's type is ${where[0]}, the writer's ${where[1]}` };
}

function typeMismatch(reader: Schema, writer: Schema, path: string): Incompatibility {
  return { path, rule: "TYPE_MISMATCH", message: `the reader has ${describe(reader)}, the writer ${describe(writer)}` };
}

function describe(schema: Schema): string {
  return isNamed(schema) ? `${schema.kind} ${shortName(schema.name)}` : schema.kind;
}
