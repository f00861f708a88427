import { AvroError } from "./error.ts";
import { TextReader } from "./text.ts";

const maxSafe = Number.MAX_SAFE_INTEGER;

/**
 * Reads Avro's binary encoding from one buffer, strictly: what is cut off, too long or not text is an AvroError that names
 * the field. Nothing is allocated by a length that the buffer does not hold.
 */
export class AvroReader {
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;
  private readonly text = new TextReader();

  /** Starts on a buffer at a position. A reader may be used again and again, one buffer at a time. */
  open(bytes: Buffer, position: number): void {
    this.bytes = bytes;
    this.at = position;
  }

  /** Everything must have been read. */
  close(record: string): void {
    const left = this.bytes.length - this.at;
    if (left > 0) throw new AvroError(record, `${left} bytes too many`);
  }

  boolean(field: string): boolean {
    const byte = this.byte(field);
    if (byte > 1) throw new AvroError(field, `${byte} is no boolean`);
    return byte === 1;
  }

  /** An Avro int, 32 bits. */
  int(field: string): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte(field);
      if (shift === 28 && byte > 0x0f) break;
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (result >>> 1) ^ -(result & 1);
    }
    throw new AvroError(field, "an int of more than 32 bits");
  }

  /** An Avro long as bigint, 64 bits. */
  long(field: string): bigint {
    // Seven bytes make 49 bits, which a number holds exactly.
    const start = this.at;
    let low = 0;
    let scale = 1;
    for (let n = 0; n < 7; n += 1) {
      const byte = this.byte(field);
      low += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return BigInt(low % 2 === 0 ? low / 2 : -(low + 1) / 2);
    }
    let raw = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.byte(field);
      if (shift === 63n && byte > 1) break;
      raw |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return (raw >> 1n) ^ -(raw & 1n);
    }
    throw new AvroError(field, `a long of more than 64 bits (${this.at - start} bytes)`);
  }

  /** An Avro long as number; one beyond ±(2^53−1) is an error. */
  safeLong(field: string): number {
    let low = 0;
    let scale = 1;
    const start = this.at;
    for (let n = 0; n < 7; n += 1) {
      const byte = this.byte(field);
      low += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return low % 2 === 0 ? low / 2 : -(low + 1) / 2;
    }
    this.at = start;
    const value = this.long(field);
    if (value > maxSafe || value < -maxSafe) throw new AvroError(field, `${value} is out of range`);
    return Number(value);
  }

  float(field: string): number {
    const start = this.skip(field, 4);
    return this.bytes.readFloatLE(start);
  }

  double(field: string): number {
    const start = this.skip(field, 8);
    return this.bytes.readDoubleLE(start);
  }

  string(field: string): string {
    const length = this.length(field, "string");
    const start = this.at;
    this.at = start + length;
    const text = this.text.read(this.bytes, start, start + length);
    if (text === null) throw new AvroError(field, "not UTF-8");
    return text;
  }

  /** A view of the buffer, not a copy. */
  binary(field: string): Buffer {
    const length = this.length(field, "bytes");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** A view of `size` bytes of the buffer, not a copy. */
  fixed(field: string, size: number): Buffer {
    const start = this.skip(field, size);
    return this.bytes.subarray(start, start + size);
  }

  /** The index of a union's branch or an enum's symbol, below `count`. */
  index(field: string, count: number, of: "union" | "enum"): number {
    const first = this.bytes[this.at];
    // One byte holds every index below 64.
    if (first !== undefined && first < 0x80 && (first & 1) === 0 && first >>> 1 < count) {
      this.at += 1;
      return first >>> 1;
    }
    const index = this.int(field);
    if (index < 0 || index >= count) throw new AvroError(field, `${of} index ${index} is out of range, there are ${count}`);
    return index;
  }

  /**
   * How many items the next block of an array or a map has, 0 at the end. `minBytes` is the least that one item takes:
   * a count that cannot fit into what is left is an error before anything is allocated.
   */
  block(field: string, minBytes: number): number {
    let count = this.safeLong(field);
    if (count < 0) {
      count = -count;
      const size = this.safeLong(field);
      if (size < 0 || size > this.bytes.length - this.at) throw new AvroError(field, `a block of ${size} bytes, ${this.left()}`);
    }
    if (count * minBytes > this.bytes.length - this.at) throw new AvroError(field, `${count} items, ${this.left()}`);
    return count;
  }

  private byte(field: string): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new AvroError(field, "the bytes end here");
    this.at += 1;
    return byte;
  }

  private length(field: string, what: string): number {
    const first = this.bytes[this.at];
    if (first !== undefined && first < 0x80 && (first & 1) === 0) {
      const length = first >>> 1;
      if (this.at + 1 + length <= this.bytes.length) {
        this.at += 1;
        return length;
      }
    }
    const length = this.safeLong(field);
    if (length < 0 || length > this.bytes.length - this.at) {
      throw new AvroError(field, `a ${what} of ${length} bytes, ${this.left()}`);
    }
    return length;
  }

  /** Steps over `size` bytes and gives where they begin. */
  private skip(field: string, size: number): number {
    const start = this.at;
    if (size > this.bytes.length - start) throw new AvroError(field, `${size} bytes wanted, ${this.left()}`);
    this.at += size;
    return start;
  }

  private left(): string {
    return `${this.bytes.length - this.at} bytes left`;
  }
}
