import {
  type ArraySchema,
  type EnumSchema,
  type FieldSchema,
  type RecordSchema,
  type Schema,
  SchemaError,
  shortName,
} from "@perkstream/contracts/schema";
import type { SchemaFile } from "./folder.ts";

/**
 * TypeScript for one record: its types, and a reader and a writer without any look at the schema at run time. Messages name
 * the field by a constant path, so a good record pays nothing for them.
 */
export function emitRecord(file: SchemaFile): string {
  return new RecordEmitter().emit(file);
}

/** The types that a record's file declares, itself last. */
export function declaredTypes(record: RecordSchema): string[] {
  const emitter = new RecordEmitter();
  emitter.declare(record, true);
  return emitter.declared();
}

class RecordEmitter {
  private readonly types = new Map<string, string>();
  private readonly functions: string[] = [];
  private readonly open: string[] = [];
  private throwsItself = false;

  emit({ record, topic, subject, text }: SchemaFile): string {
    const name = shortName(record.name);
    this.declare(record, true);
    this.emitReader(record, "", `read${name}`, true);
    this.emitWriter(record, "", `write${name}`, true);
    return [
      "// Made by `npm run schemas -- generate` from schemas/; do not edit.",
      ...(this.throwsItself ? [`import { AvroError } from "../avro/error.ts";`] : []),
      `import type { AvroReader } from "../avro/reader.ts";`,
      `import type { AvroWriter } from "../avro/writer.ts";`,
      `import type { RecordCodec } from "../codec.ts";`,
      "",
      ...this.types.values(),
      ...this.functions,
      `const schema =\n  ${quote(text)};`,
      "",
      `export const ${lowerFirst(name)}Codec: RecordCodec<${name}> = {`,
      `  type: "${name}",`,
      `  fullName: "${record.name}",`,
      `  topic: "${topic}",`,
      `  subject: "${subject}",`,
      "  schema,",
      `  read: read${name},`,
      `  write: write${name},`,
      "};",
      "",
    ].join("\n");
  }

  declared(): string[] {
    return [...this.types.keys()];
  }

  declare(record: RecordSchema, tagged: boolean): void {
    const name = shortName(record.name);
    if (this.types.has(name)) return;
    if (this.open.includes(record.name)) throw new SchemaError(`${record.name}: recursive types are not supported`);
    this.open.push(record.name);
    const members = record.fields.map((field) => `${fieldDoc(field)}  readonly ${field.name}: ${this.typeOf(field.schema, field.name)};`);
    if (tagged && record.fields.some((field) => field.name === "type"))
      throw new SchemaError(`${record.name}: a field may not be called type`);
    const lines = [
      ...docComment(record.doc, ""),
      `export interface ${name} {`,
      ...(tagged ? [`  readonly type: "${name}";`] : []),
      ...members,
      "}",
      "",
    ];
    this.types.set(name, lines.join("\n"));
    this.open.pop();
  }

  private typeOf(schema: Schema, path: string): string {
    switch (schema.kind) {
      case "boolean":
      case "string":
        return schema.kind;
      case "int":
      case "float":
      case "double":
        return "number";
      case "long":
        return isTimestamp(schema) ? "number" : "bigint";
      case "record":
        this.declare(schema, false);
        return shortName(schema.name);
      case "enum":
        this.declareEnum(schema);
        return shortName(schema.name);
      case "array": {
        const items = this.typeOf(schema.items, path);
        return `readonly ${items.includes(" ") ? `(${items})` : items}[]`;
      }
      case "union":
        return `${this.typeOf(nullable(schema, path).value, path)} | null`;
      default:
        throw new SchemaError(`${path}: ${schema.kind} is not supported by the generator`);
    }
  }

  private declareEnum(schema: EnumSchema): void {
    const name = shortName(schema.name);
    this.types.set(name, `export type ${name} = ${schema.symbols.map((symbol) => `"${symbol}"`).join(" | ")};\n`);
  }

  // ---- reading

  private emitReader(record: RecordSchema, path: string, name: string, tagged: boolean): void {
    const type = shortName(record.name);
    const fields = record.fields.map((field) => `    ${field.name}: ${this.readOf(field.schema, join(path, field.name))},`);
    const body = [
      `function ${name}(r: AvroReader): ${type} {`,
      "  return {",
      ...(tagged ? [`    type: "${type}",`] : []),
      ...fields,
      "  };",
      "}",
      "",
    ];
    this.functions.push(body.join("\n"));
  }

  private readOf(schema: Schema, path: string): string {
    const field = JSON.stringify(path);
    switch (schema.kind) {
      case "long":
        return isTimestamp(schema) ? `r.safeLong(${field})` : `r.long(${field})`;
      case "record": {
        const name = `read${pascal(path)}`;
        this.emitReader(schema, path, name, false);
        return `${name}(r)`;
      }
      case "enum":
        return this.readEnum(schema, path);
      case "array":
        return this.readArray(schema, path);
      case "union": {
        const { value, nullIndex } = nullable(schema, path);
        return `r.index(${field}, 2, "union") === ${nullIndex} ? null : ${this.readOf(value, path)}`;
      }
      default:
        return `r.${schema.kind}(${field})`;
    }
  }

  private readEnum(schema: EnumSchema, path: string): string {
    const name = `read${pascal(path)}`;
    const [first, ...others] = schema.symbols;
    this.functions.push(
      [
        `function ${name}(r: AvroReader): ${shortName(schema.name)} {`,
        `  switch (r.index(${JSON.stringify(path)}, ${schema.symbols.length}, "enum")) {`,
        ...others.map((symbol, i) => `    case ${i + 1}:\n      return "${symbol}";`),
        `    default:\n      return "${first}";`,
        "  }",
        "}",
        "",
      ].join("\n"),
    );
    return `${name}(r)`;
  }

  private readArray(schema: ArraySchema, path: string): string {
    const name = `read${pascal(path)}`;
    const item = this.readOf(schema.items, schema.items.kind === "record" ? itemPath(path) : path);
    const least = minBytes(schema.items);
    if (least === 0) throw new SchemaError(`${path}: items that may take no bytes are not supported`);
    const block = `r.block(${JSON.stringify(path)}, ${least})`;
    const items = this.typeOf(schema.items, path);
    this.functions.push(
      [
        `function ${name}(r: AvroReader): ${items.includes(" ") ? `(${items})` : items}[] {`,
        `  const items: ${items.includes(" ") ? `(${items})` : items}[] = [];`,
        `  for (let count = ${block}; count > 0; count = ${block}) {`,
        `    for (; count > 0; count -= 1) items.push(${item});`,
        "  }",
        "  return items;",
        "}",
        "",
      ].join("\n"),
    );
    return `${name}(r)`;
  }

  // ---- writing

  private emitWriter(record: RecordSchema, path: string, name: string, tagged: boolean): void {
    const type = shortName(record.name);
    const fields = record.fields.flatMap((field) => this.writeOf(field.schema, `v.${field.name}`, join(path, field.name)));
    const parameter = tagged ? `Omit<${type}, "type">` : type;
    this.functions.push(
      [`function ${name}(w: AvroWriter, v: ${parameter}): void {`, ...fields.map((line) => `  ${line}`), "}", ""].join("\n"),
    );
  }

  private writeOf(schema: Schema, value: string, path: string): string[] {
    const field = JSON.stringify(path);
    switch (schema.kind) {
      case "long":
        return [`w.${isTimestamp(schema) ? "safeLong" : "long"}(${field}, ${value});`];
      case "record": {
        const name = `write${pascal(path)}`;
        this.emitWriter(schema, path, name, false);
        return [`${name}(w, ${value});`];
      }
      case "enum":
        return [`w.index(${field}, ${this.enumIndex(schema, path)}(${value}));`];
      case "array": {
        const item = this.writeOf(schema.items, "item", schema.items.kind === "record" ? itemPath(path) : path);
        return [
          `if (${value}.length > 0) {`,
          `  w.index(${field}, ${value}.length);`,
          `  for (const item of ${value}) {`,
          ...item.map((line) => `    ${line}`),
          "  }",
          "}",
          `w.index(${field}, 0);`,
        ];
      }
      case "union": {
        const { value: inner, nullIndex } = nullable(schema, path);
        const other = this.writeOf(inner, value, path);
        return [
          `if (${value} === null) {`,
          `  w.index(${field}, ${nullIndex});`,
          "} else {",
          `  w.index(${field}, ${1 - nullIndex});`,
          ...other.map((line) => `  ${line}`),
          "}",
        ];
      }
      default:
        return [`w.${schema.kind}(${field}, ${value});`];
    }
  }

  private enumIndex(schema: EnumSchema, path: string): string {
    const name = `indexOf${pascal(path)}`;
    this.throwsItself = true;
    this.functions.push(
      [
        `function ${name}(symbol: ${shortName(schema.name)}): number {`,
        "  switch (symbol) {",
        ...schema.symbols.map((symbol, i) => `    case "${symbol}":\n      return ${i};`),
        `    default:\n      throw new AvroError(${JSON.stringify(path)}, \`\${String(symbol)} is no symbol\`);`,
        "  }",
        "}",
        "",
      ].join("\n"),
    );
    return name;
  }
}

/** A union of null and one other type: the only kind that the generator takes. */
function nullable(schema: Extract<Schema, { kind: "union" }>, path: string): { value: Schema; nullIndex: 0 | 1 } {
  const [first, second, ...more] = schema.branches;
  if (first !== undefined && second !== undefined && more.length === 0) {
    if (first.kind === "null") return { value: second, nullIndex: 0 };
    if (second.kind === "null") return { value: first, nullIndex: 1 };
  }
  throw new SchemaError(`${path}: only unions of null and one other type are supported`);
}

/** The least number of bytes that a value takes. */
function minBytes(schema: Schema): number {
  switch (schema.kind) {
    case "record":
      return schema.fields.reduce((sum, field) => sum + minBytes(field.schema), 0);
    case "union":
      return 1 + Math.min(...schema.branches.map((branch) => minBytes(branch)));
    case "null":
      return 0;
    case "float":
      return 4;
    case "double":
      return 8;
    case "fixed":
      return schema.size;
    default:
      return 1;
  }
}

function fieldDoc(field: FieldSchema): string {
  const timestamp = (field.schema.kind === "union" ? field.schema.branches : [field.schema]).some(isTimestamp);
  const text = [field.doc, timestamp && "Milliseconds since 1970."].filter((part) => typeof part === "string").join(" ");
  return docComment(text === "" ? undefined : text, "  ")
    .map((line) => `${line}\n`)
    .join("");
}

function isTimestamp(schema: Schema): boolean {
  return schema.kind === "long" && schema.logicalType === "timestamp-millis";
}

function docComment(doc: string | undefined, indent: string): string[] {
  return doc === undefined ? [] : [`${indent}/** ${doc.replaceAll("*/", "*\\/")} */`];
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** Fields of an array's items are named `lines[].sku`. */
function itemPath(path: string): string {
  return `${path}[]`;
}

function pascal(path: string): string {
  return path
    .replaceAll("[]", ".item")
    .split(".")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("");
}

export function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** A string literal in the quotes that need fewer escapes, as the formatter writes it. */
function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
