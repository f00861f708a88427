import avro from "avsc";
import { AvroError } from "./avro/error.ts";
import { AvroReader } from "./avro/reader.ts";
import { compileJsonReader } from "./schema/json-reader.ts";
import { type RecordSchema, SchemaError } from "./schema/model.ts";

/** avsc's own longs are numbers and refuse what lies beyond 2^53. */
const bigintLong = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: (value: number | string) => BigInt(value),
  toJSON: Number,
  isValid: (value: unknown) => typeof value === "bigint" && BigInt.asIntN(64, value) === value,
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

/**
 * Turns bytes of another version of a record's schema into bytes of ours, so that the generated reader is the only place
 * that makes records. avsc resolves the two versions once, here. Throws SchemaError when ours cannot read the other.
 * The bytes are checked by our own strict reader first, since avsc lets bad UTF-8 and oversized counts through.
 */
export function openTranscoder(writer: RecordSchema, writerText: string, readerText: string): (value: Buffer, position: number) => Buffer {
  const check = compileJsonReader(writer);
  const bytes = new AvroReader();
  const { readerType, writerType, resolver } = resolve(writerText, readerText);
  return (value, position) => {
    bytes.open(value, position);
    check(bytes);
    bytes.close(writer.name);
    try {
      return readerType.toBuffer(readerType.fromBuffer(value.subarray(position), resolver));
    } catch (error) {
      throw new AvroError(writerType.name ?? "record", error instanceof Error ? error.message : String(error));
    }
  };
}

function resolve(writerText: string, readerText: string) {
  try {
    const readerType = avro.Type.forSchema(JSON.parse(readerText), { typeHook: exactLongs });
    const writerType = avro.Type.forSchema(JSON.parse(writerText), { typeHook: exactLongs });
    return { readerType, writerType, resolver: readerType.createResolver(writerType) };
  } catch (error) {
    throw new SchemaError(error instanceof Error ? error.message : String(error));
  }
}

/** Every long, one with a logical type too. */
function exactLongs(schema: unknown): avro.Type | undefined {
  const isLong = schema === "long" || (typeof schema === "object" && schema !== null && "type" in schema && schema.type === "long");
  return isLong ? bigintLong : undefined;
}
