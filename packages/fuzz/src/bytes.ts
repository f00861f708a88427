import * as fc from "fast-check";

/** What a varint reader meets at worst: the largest, the smallest, one too long, one that never ends, counts and lengths far too large. */
const varints = [
  "00",
  "01",
  "7f",
  "8001",
  "ffffffff0f",
  "ffffffff1f",
  "feffffffffffffff7f",
  "ffffffffffffffffff01",
  "ffffffffffffffffff7f",
];
const badText = ["ff", "c080", "eda080", "f4908080", "e28", "f0"];
const noise = ["80".repeat(200), "00".repeat(50), "ff".repeat(50)];

const insertion: fc.Arbitrary<Buffer> = fc.oneof(
  fc.constantFrom(...varints, ...badText, ...noise).map((hex) => Buffer.from(hex.length % 2 === 0 ? hex : `${hex}0`, "hex")),
  fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
);

type Change = (bytes: Buffer) => Buffer;

const place = fc.nat({ max: 100_000 });

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(place, fc.nat({ max: 255 })).map(([at, byte]) => (bytes: Buffer) => {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[at % copy.length] = byte;
    return copy;
  }),
  place.map((at) => (bytes: Buffer) => bytes.subarray(0, at % (bytes.length + 1))),
  fc.tuple(place, fc.boolean(), insertion).map(([at, over, piece]) => (bytes: Buffer) => {
    const start = at % (bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, start), piece, bytes.subarray(over ? start + piece.length : start)]);
  }),
  fc.tuple(place, place).map(([at, size]) => (bytes: Buffer) => {
    const start = at % (bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + (size % 16))]);
  }),
  fc.tuple(place, place, fc.integer({ min: 2, max: 40 })).map(([at, size, times]) => (bytes: Buffer) => {
    const start = at % (bytes.length + 1);
    const end = start + (size % 32);
    const pieces = Array.from({ length: times }, () => bytes.subarray(start, end));
    return Buffer.concat([bytes.subarray(0, start), ...pieces, bytes.subarray(end)]);
  }),
);

/** Bytes that begin as valid ones and are then changed up to four times: overwritten, cut, lengthened, shortened, repeated. */
export function changedBytes(valid: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.tuple(valid, fc.array(change, { maxLength: 4 })).map(([bytes, changes]) => changes.reduce((at, one) => one(at), bytes));
}

export const anyBytes: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  insertion,
);
