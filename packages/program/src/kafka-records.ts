/**
 * Record batches of Kafka's protocol (message format v2, KIP-98), encoded into and decoded from one buffer each. kafkajs makes an
 * encoder, a decoder and several big integers for every record, which is most of what publishing and fetching cost it.
 *
 *   first offset int64 │ length int32 │ leader epoch int32 │ magic int8 │ CRC-32C uint32 │ attributes int16 │ last offset delta int32
 *   first timestamp int64 │ highest timestamp int64 │ producer id int64 │ producer epoch int16 │ first sequence int32 │ count int32
 *   then each record: length, attributes int8, timestamp delta, offset delta, key, value, headers (lengths and deltas as zigzag varints)
 */

const MAGIC = 2;
const LENGTH_AT = 8;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const RECORDS_AT = 61;
/** What `length` counts from. */
const AFTER_LENGTH = 12;
/** Attributes of a batch; the codec of its records is in the lowest three bits. */
const TIME_OF_APPEND = 8;
const TRANSACTIONAL = 16;
const CONTROL = 32;
const TWO_31 = 2_147_483_648;

export interface RecordFields {
  readonly offsetDelta?: number;
  /** Milliseconds after the batch's first timestamp. */
  readonly timestampDelta?: number;
  readonly key?: Buffer | string | null;
  readonly value?: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[]>>;
}

export interface BatchFields {
  /** Codec, in the lowest three bits of the attributes; the records are compressed already. */
  readonly codec: number;
  readonly transactional: boolean;
  readonly firstOffset: bigint;
  readonly partitionLeaderEpoch: number;
  readonly lastOffsetDelta: number;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly count: number;
}

// --- encoding ---

/** A batch with its checksum. `records` are what `encodeRecords` gave, compressed if `codec` says so. */
export function encodeBatch(fields: BatchFields, records: Buffer): Buffer {
  const batch = Buffer.allocUnsafe(RECORDS_AT + records.length);
  batch.writeBigInt64BE(fields.firstOffset, 0);
  batch.writeInt32BE(batch.length - AFTER_LENGTH, LENGTH_AT);
  batch.writeInt32BE(fields.partitionLeaderEpoch, 12);
  batch.writeInt8(MAGIC, 16);
  batch.writeInt16BE(fields.codec | (fields.transactional ? TRANSACTIONAL : 0), ATTRIBUTES_AT);
  batch.writeInt32BE(fields.lastOffsetDelta, 23);
  batch.writeBigInt64BE(BigInt(fields.firstTimestamp), 27);
  batch.writeBigInt64BE(BigInt(fields.maxTimestamp), 35);
  batch.writeBigInt64BE(fields.producerId, 43);
  batch.writeInt16BE(fields.producerEpoch, 51);
  batch.writeInt32BE(fields.firstSequence, 53);
  batch.writeInt32BE(fields.count, 57);
  records.copy(batch, RECORDS_AT);
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES_AT), CRC_AT);
  return batch;
}

/** The records of a batch, one after the other. */
export function encodeRecords(records: readonly RecordFields[]): Buffer {
  const sizes = records.map(sizeOfRecord);
  let total = 0;
  for (const size of sizes) total += sizeOfVarint(size) + size;
  const writer = new RecordWriter(total);
  for (let i = 0; i < records.length; i++) writer.record(records[i]!, sizes[i]!);
  return writer.buffer;
}

type Bytes = Buffer | string | null | undefined;

function sizeOfRecord({ offsetDelta = 0, timestampDelta = 0, key, value, headers }: RecordFields): number {
  let size = 1 + sizeOfVarint(timestampDelta) + sizeOfVarint(offsetDelta) + sizeOfBytes(key) + sizeOfBytes(value);
  let count = 0;
  for (const name in headers) {
    const given = headers[name]!;
    for (const bytes of Array.isArray(given) ? given : [given]) {
      size += sizeOfBytes(name) + sizeOfBytes(bytes);
      count += 1;
    }
  }
  return size + sizeOfVarint(count);
}

function lengthOf(bytes: Buffer | string): number {
  return typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.length;
}

function sizeOfBytes(bytes: Bytes): number {
  if (bytes === null || bytes === undefined) return 1;
  const length = lengthOf(bytes);
  return sizeOfVarint(length) + length;
}

/** Of an integer within ±2^53: timestamps are further apart than 32 bits can say. */
function sizeOfVarint(value: number): number {
  let size = 1;
  for (let zigzag = value < 0 ? -2 * value - 1 : 2 * value; zigzag >= 128; zigzag = Math.floor(zigzag / 128)) size += 1;
  return size;
}

class RecordWriter {
  readonly buffer: Buffer;
  #at = 0;

  constructor(size: number) {
    this.buffer = Buffer.allocUnsafe(size);
  }

  record({ offsetDelta = 0, timestampDelta = 0, key, value, headers }: RecordFields, size: number): void {
    this.#varint(size);
    this.buffer[this.#at++] = 0;
    this.#varint(timestampDelta);
    this.#varint(offsetDelta);
    this.#bytes(key);
    this.#bytes(value);
    let count = 0;
    for (const name in headers) count += Array.isArray(headers[name]) ? headers[name].length : 1;
    this.#varint(count);
    for (const name in headers) {
      const given = headers[name]!;
      for (const bytes of Array.isArray(given) ? given : [given]) {
        this.#bytes(name);
        this.#bytes(bytes);
      }
    }
  }

  #varint(value: number): void {
    let zigzag = value < 0 ? -2 * value - 1 : 2 * value;
    for (; zigzag >= TWO_31; zigzag = Math.floor(zigzag / 128)) this.buffer[this.#at++] = (zigzag % 128) + 128;
    for (; zigzag >= 128; zigzag >>>= 7) this.buffer[this.#at++] = (zigzag & 127) | 128;
    this.buffer[this.#at++] = zigzag;
  }

  #bytes(bytes: Bytes): void {
    if (bytes === null || bytes === undefined) return this.#varint(-1);
    this.#varint(lengthOf(bytes));
    if (typeof bytes === "string") this.#at += this.buffer.write(bytes, this.#at);
    else this.#at += bytes.copy(this.buffer, this.#at);
  }
}

// --- decoding ---

/** What stands before the records of a batch. */
export interface BatchHeader {
  readonly magic: number;
  readonly attributes: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  /** The time of its records is when the broker took it: the highest timestamp. */
  readonly isTimeOfAppend: boolean;
  readonly firstOffset: bigint;
  readonly partitionLeaderEpoch: number;
  readonly lastOffsetDelta: number;
  readonly firstTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly count: number;
}

/** Where the batch that begins at `at` ends; beyond the buffer when it is cut. At least the first 12 bytes of it are there. */
export function endOfBatch(buffer: Buffer, at: number): number {
  return at + AFTER_LENGTH + buffer.readInt32BE(at + LENGTH_AT);
}

/** Of the whole batch from `at` to `end`: its header, and its records as they were sent, compressed or not. */
export function decodeBatch(buffer: Buffer, at: number, end: number): { readonly header: BatchHeader; readonly records: Buffer } {
  const attributes = buffer.readInt16BE(at + ATTRIBUTES_AT);
  const header = {
    magic: buffer.readInt8(at + 16),
    attributes,
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    isTimeOfAppend: (attributes & TIME_OF_APPEND) !== 0,
    firstOffset: buffer.readBigInt64BE(at),
    partitionLeaderEpoch: buffer.readInt32BE(at + 12),
    lastOffsetDelta: buffer.readInt32BE(at + 23),
    firstTimestamp: buffer.readBigInt64BE(at + 27),
    maxTimestamp: buffer.readBigInt64BE(at + 35),
    producerId: buffer.readBigInt64BE(at + 43),
    producerEpoch: buffer.readInt16BE(at + 51),
    firstSequence: buffer.readInt32BE(at + 53),
    count: buffer.readInt32BE(at + 57),
  };
  return { header, records: buffer.subarray(at + RECORDS_AT, end) };
}

export interface DecodedRecord {
  readonly attributes: number;
  readonly timestampDelta: number;
  readonly offsetDelta: number;
  /** Views of the buffer, null for none. */
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Headers>;
}

type Headers = Record<string, Buffer | null | (Buffer | null)[]>;

/**
 * Inherits nothing, since a header may be called __proto__. What a constructor makes has a shape, like a literal; Object.create(null)
 * would make a dictionary, at several times the cost.
 */
const HeaderMap = function () {} as unknown as new () => Headers;
HeaderMap.prototype = Object.create(null);

const NO_HEADERS: Headers = Object.freeze(new HeaderMap());

/** `count` records that lie one after the other; `make` is given each. Throws RangeError where they go beyond the buffer. */
export function decodeRecords<T>(buffer: Buffer, count: number, make: (record: DecodedRecord) => T): T[] {
  const reader = new RecordReader(buffer);
  const records: T[] = [];
  for (let i = 0; i < count; i++) records.push(make(reader.record()));
  return records;
}

class RecordReader {
  readonly #buffer: Buffer;
  #at = 0;
  /** Of the headers of the record before, by position: records of a batch mostly have the same. */
  readonly #names: { readonly bytes: Buffer; readonly text: string }[] = [];

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  record(): DecodedRecord {
    const length = this.#varint();
    const end = this.#at + length;
    if (length < 0 || end > this.#buffer.length) throw new RangeError("a record goes beyond its batch");
    const attributes = this.#buffer.readInt8(this.#at++);
    const timestampDelta = this.#varint();
    const offsetDelta = this.#varint();
    const key = this.#bytes();
    const value = this.#bytes();
    const headers = this.#headers();
    this.#at = end; // fields that a later version may append
    return { attributes, timestampDelta, offsetDelta, key, value, headers };
  }

  #headers(): DecodedRecord["headers"] {
    const count = this.#varint();
    if (count <= 0) return NO_HEADERS;
    const headers = new HeaderMap();
    for (let i = 0; i < count; i++) {
      const name = this.#name(i);
      const value = this.#bytes();
      const before = headers[name];
      headers[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
    }
    return headers;
  }

  #name(position: number): string {
    const bytes = this.#bytes();
    if (bytes === null) return "";
    const known = this.#names[position];
    if (known !== undefined && isSame(known.bytes, bytes)) return known.text;
    const text = bytes.toString("utf8");
    this.#names[position] = { bytes, text };
    return text;
  }

  #varint(): number {
    let zigzag = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#buffer[this.#at++];
      if (byte === undefined) throw new RangeError("a record goes beyond its batch");
      zigzag += (byte & 127) * scale;
      if (byte < 128) return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      scale *= 128;
    }
    throw new RangeError("a number of a record has more than 10 bytes");
  }

  #bytes(): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#buffer.length) throw new RangeError("a record goes beyond its batch");
    return this.#buffer.subarray(from, this.#at);
  }
}

/** For few bytes: Buffer's own comparison is a call out of JavaScript. */
function isSame(a: Buffer, b: Buffer): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

// --- CRC-32C (RFC 3720, B.4), eight bytes at a time ---

const POLYNOMIAL = 0x82f63b78;
const tables = crcTables();

function crcTables(): Int32Array[] {
  const first = new Int32Array(256);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    first[i] = crc;
  }
  const all = [first];
  for (let n = 1; n < 8; n++) {
    const before = all[n - 1]!;
    all.push(Int32Array.from(before, (crc) => (crc >>> 8) ^ first[crc & 255]!));
  }
  return all;
}

/** The checksum of a buffer from `from` to its end, as an unsigned number. */
export function crc32c(buffer: Buffer, from = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  let crc = -1;
  let at = from;
  for (const end = buffer.length - 7; at < end; at += 8) {
    crc ^= buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24);
    crc =
      t7[crc & 255]! ^
      t6[(crc >>> 8) & 255]! ^
      t5[(crc >>> 16) & 255]! ^
      t4[crc >>> 24]! ^
      t3[buffer[at + 4]!]! ^
      t2[buffer[at + 5]!]! ^
      t1[buffer[at + 6]!]! ^
      t0[buffer[at + 7]!]!;
  }
  for (; at < buffer.length; at++) crc = (crc >>> 8) ^ t0[(crc ^ buffer[at]!) & 255]!;
  return ~crc >>> 0;
}
