import { AvroError } from "./avro/error.ts";
import { AvroReader } from "./avro/reader.ts";
import type { RecordCodec } from "./codec.ts";
import type { Registry } from "./registry.ts";
import { canonicalForm } from "./schema/canonical.ts";
import { compileJsonReader } from "./schema/json-reader.ts";
import { parseRecord, parseSchema, SchemaError, shortName } from "./schema/model.ts";
import { openTranscoder } from "./transcoder.ts";
import { framingBytes, schemaIdOf, WriterCache } from "./writer-cache.ts";

export type DecodeResult<E> =
  | { readonly ok: true; readonly event: E; readonly schemaId: number }
  /** The bytes are no such record; `message` names the field. */
  | { readonly ok: false; readonly message: string };

export interface RecordDecoder<E> {
  /** Asks the registry once per unknown schema id. Rejects on an outage; an id that the registry lacks is no outage. */
  prepare(values: readonly (Buffer | null)[]): Promise<void>;
  /** Synchronous; every value must have been prepared. Never throws for bad bytes. */
  decode(value: Buffer | null): DecodeResult<E>;
}

export interface JsonRecord {
  /** The record's name without its namespace. */
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface DecoderOptions {
  /** The clock by which an unknown id is asked again, in ms; one that is never set back. */
  readonly now?: () => number;
}

const monotonic = () => performance.now();

/** Reads one framed value from behind the framing to its end. */
type Read<E> = (value: Buffer) => E;

/**
 * A decoder of the given record types.
 *
 *   schema id ─► writer's schema ─┬─ the same as ours: generated code
 *                                 ├─ another version: avsc resolves it to ours (once per id), then generated code
 *                                 └─ another type, or cannot be resolved: refused with a message
 */
export function openDecoder<E extends { readonly type: string }>(
  registry: Registry,
  codecs: readonly RecordCodec<E>[],
  { now = monotonic }: DecoderOptions = {},
): RecordDecoder<E> {
  const cache = new WriterCache<Read<E>>(registry, (text) => makeRead(text, codecs), now);
  return decoderOver(cache);
}

/** Decodes records of any type by their writer's schema: longs as JSON numbers, timestamps ISO, enums text, nulls written. */
export function openJsonDecoder(registry: Registry, { now = monotonic }: DecoderOptions = {}): RecordDecoder<JsonRecord> {
  const reader = new AvroReader();
  const cache = new WriterCache<Read<JsonRecord>>(
    registry,
    (text) =>
      usable(() => {
        const schema = parseRecord(text);
        const type = shortName(schema.name);
        const readJson = compileJsonReader(schema);
        return (value) => {
          reader.open(value, framingBytes);
          const data = readJson(reader);
          reader.close(type);
          return { type, data: Object(data) as Record<string, unknown> };
        };
      }),
    now,
  );
  return decoderOver(cache);
}

function decoderOver<E>(cache: WriterCache<Read<E>>): RecordDecoder<E> {
  return {
    prepare: (values) => cache.prepare(values),
    decode: (value) => {
      const schemaId = schemaIdOf(value);
      if (typeof schemaId === "string" || value === null) return { ok: false, message: String(schemaId) };
      const entry = cache.get(schemaId);
      if ("unusable" in entry) return { ok: false, message: entry.unusable };
      try {
        return { ok: true, event: entry.known(value), schemaId };
      } catch (error) {
        if (error instanceof AvroError) return { ok: false, message: error.message };
        throw error;
      }
    },
  };
}

function makeRead<E extends { readonly type: string }>(
  text: string,
  codecs: readonly RecordCodec<E>[],
): { known: Read<E> } | { unusable: string } {
  return usable(() => {
    const writer = parseRecord(text);
    const codec = codecs.find(({ fullName }) => fullName === writer.name);
    if (codec === undefined) {
      throw new SchemaError(`${writer.name} is none of ${codecs.map(({ type }) => type).join(", ")}`);
    }
    const reader = new AvroReader();
    if (canonicalForm(writer) === canonicalForm(parseSchema(codec.schema))) {
      return (value) => readAll(codec, reader, value, framingBytes);
    }
    const transcode = openTranscoder(writer, text, codec.schema);
    return (value) => readAll(codec, reader, transcode(value, framingBytes), 0);
  });
}

function readAll<E extends { readonly type: string }>(codec: RecordCodec<E>, reader: AvroReader, bytes: Buffer, position: number): E {
  reader.open(bytes, position);
  const event = codec.read(reader);
  reader.close(codec.type);
  return event;
}

/** A schema that cannot be used is an answer for every record of its id, not a failure. */
function usable<T>(make: () => T): { known: T } | { unusable: string } {
  try {
    return { known: make() };
  } catch (error) {
    if (error instanceof SchemaError) return { unusable: `writer's schema: ${error.message}` };
    throw error;
  }
}
