import type { AvroReader } from "./avro/reader.ts";
import type { AvroWriter } from "./avro/writer.ts";

/** What the generator makes of one record schema: its text and straight-line code that reads and writes it. */
export interface RecordCodec<T extends { readonly type: string }> {
  readonly type: T["type"];
  readonly fullName: string;
  readonly topic: string;
  /** TopicRecordNameStrategy. */
  readonly subject: string;
  /** The schema's JSON in the one serialization that is registered. */
  readonly schema: string;
  /** Throws AvroError. */
  read(reader: AvroReader): T;
  /** Throws AvroError for a value that the schema cannot hold. */
  write(writer: AvroWriter, record: Omit<T, "type">): void;
}
