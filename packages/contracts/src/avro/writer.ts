import { AvroError } from "./error.ts";

const firstBytes = 4_096;
/** Kafka's own limit of a request is 100 MB; a record never comes near this. */
const maxBytes = 64 * 1024 * 1024;
/** ASCII text up to this length has a length prefix of one byte. */
const shortUnits = 40;

/** Writes Avro's binary encoding into a buffer of its own that grows as needed and is used again. */
export class AvroWriter {
  private bytes = Buffer.allocUnsafeSlow(firstBytes);
  private at = 0;

  /** Begins a record with the Confluent framing: a zero and the schema's id in 4 bytes. */
  open(schemaId: number): void {
    this.at = 0;
    this.bytes[0] = 0;
    this.at = this.bytes.writeInt32BE(schemaId, 1);
  }

  /** Begins a record without framing. */
  openBare(): void {
    this.at = 0;
  }

  /** A copy of what was written. */
  close(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.at));
  }

  boolean(field: string, value: boolean): void {
    if (typeof value !== "boolean") throw new AvroError(field, `${typeof value} for a boolean`);
    this.reserve(field, 1);
    this.bytes[this.at++] = value ? 1 : 0;
  }

  int(field: string, value: number): void {
    if ((value | 0) !== value) throw new AvroError(field, `${value} is not an int of 32 bits`);
    this.reserve(field, 5);
    this.varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  long(field: string, value: bigint): void {
    if (typeof value !== "bigint") throw new AvroError(field, `${typeof value} for a bigint`);
    if (BigInt.asIntN(64, value) !== value) throw new AvroError(field, `${value} is not a long of 64 bits`);
    this.reserve(field, 10);
    const small = Number(value);
    if (Math.abs(small) < 2 ** 52) {
      this.varint(small < 0 ? -2 * small - 1 : 2 * small);
      return;
    }
    let raw = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (raw > 0x7fn) {
      this.bytes[this.at++] = Number(raw & 0x7fn) | 0x80;
      raw >>= 7n;
    }
    this.bytes[this.at++] = Number(raw);
  }

  /** A long that is a number, such as an instant in ms. */
  safeLong(field: string, value: number): void {
    if (!Number.isSafeInteger(value)) throw new AvroError(field, `${value} is not a safe integer`);
    if (Math.abs(value) >= 2 ** 52) {
      this.long(field, BigInt(value));
      return;
    }
    this.reserve(field, 10);
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  double(field: string, value: number): void {
    if (typeof value !== "number") throw new AvroError(field, `${typeof value} for a double`);
    this.reserve(field, 8);
    this.at = this.bytes.writeDoubleLE(value, this.at);
  }

  float(field: string, value: number): void {
    if (typeof value !== "number") throw new AvroError(field, `${typeof value} for a float`);
    this.reserve(field, 4);
    this.at = this.bytes.writeFloatLE(value, this.at);
  }

  string(field: string, value: string): void {
    if (typeof value !== "string") throw new AvroError(field, `${typeof value} for a string`);
    if (value.length <= shortUnits && this.shortAscii(field, value)) return;
    if (!value.isWellFormed()) throw new AvroError(field, "half of a surrogate pair");
    const length = Buffer.byteLength(value);
    this.reserve(field, length + 5);
    this.varint(length * 2);
    this.at += this.bytes.write(value, this.at, length);
  }

  /** The index of a union's branch or an enum's symbol, or the count of a block. */
  index(field: string, value: number): void {
    this.reserve(field, 5);
    this.varint(value * 2);
  }

  /** Ids and codes: a call into native code costs more than their characters. False, with nothing written, for other text. */
  private shortAscii(field: string, value: string): boolean {
    this.reserve(field, shortUnits + 1);
    const bytes = this.bytes;
    let at = this.at;
    bytes[at++] = value.length << 1;
    for (let i = 0; i < value.length; i += 1) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) return false;
      bytes[at++] = unit;
    }
    this.at = at;
    return true;
  }

  /** `value` is 0 to 2^53−1, already zigzag-coded; ten bytes are reserved. */
  private varint(value: number): void {
    const bytes = this.bytes;
    let rest = value;
    while (rest >= 0x8000_0000) {
      bytes[this.at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      bytes[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.at++] = rest;
  }

  private reserve(field: string, size: number): void {
    const needed = this.at + size;
    if (needed <= this.bytes.length) return;
    if (needed > maxBytes) throw new AvroError(field, `a record of more than ${maxBytes} bytes`);
    const grown = Buffer.allocUnsafeSlow(Math.min(maxBytes, Math.max(needed, this.bytes.length * 2)));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
  }
}
