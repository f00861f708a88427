import { exactType } from "./avro/avsc-long.ts";
import { AvroError } from "./avro/error.ts";
import { AvroReader } from "./avro/reader.ts";
import { compileJsonReader } from "./schema/json-reader.ts";
import { type RecordSchema, SchemaError } from "./schema/model.ts";

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
    const readerType = exactType(readerText);
    const writerType = exactType(writerText);
    return { readerType, writerType, resolver: readerType.createResolver(writerType) };
  } catch (error) {
    throw new SchemaError(error instanceof Error ? error.message : String(error));
  }
}
