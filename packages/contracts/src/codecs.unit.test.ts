import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AvroError } from "./avro/error.ts";
import { AvroReader } from "./avro/reader.ts";
import { AvroWriter } from "./avro/writer.ts";
import { orderPlacedCodec } from "./generated/OrderPlaced.ts";
import { tierChangedCodec } from "./generated/TierChanged.ts";
import { parseRecord } from "./schema/model.ts";
import { arbitraryRecord } from "./testing/arbitrary.ts";
import { exactType } from "./avro/avsc-long.ts";
import { forAvsc } from "./testing/for-avsc.ts";
import { allCodecs } from "./testing/codecs.ts";

const writer = new AvroWriter();
const reader = new AvroReader();

function write(codec: (typeof allCodecs)[number], record: object): Buffer {
  writer.openBare();
  codec.write(writer, record as never);
  return writer.close();
}

function read(codec: (typeof allCodecs)[number], bytes: Buffer): unknown {
  reader.open(bytes, 0);
  const record = codec.read(reader);
  reader.close(codec.type);
  return record;
}

describe.each(allCodecs.map((codec) => [codec.type, codec] as const))("%s", (_, codec) => {
  const other = exactType(codec.schema);
  const records = arbitraryRecord(parseRecord(codec.schema));

  it("writes the same bytes as avsc and reads them back", () => {
    fc.assert(
      fc.property(records, (record) => {
        const bytes = write(codec, record);
        expect(bytes.equals(other.toBuffer(forAvsc(record)))).toBe(true);
        expect(read(codec, bytes)).toEqual({ type: codec.type, ...record });
        expect(forAvsc({ ...other.fromBuffer(bytes) })).toEqual(forAvsc(record));
      }),
    );
  });

  it("refuses bytes that are cut off anywhere, or too many", () => {
    fc.assert(
      fc.property(records, fc.nat(), (record, cut) => {
        const bytes = write(codec, record);
        expect(() => read(codec, bytes.subarray(0, cut % bytes.length))).toThrow(AvroError);
        expect(() => read(codec, Buffer.concat([bytes, Buffer.of(0)]))).toThrow("1 bytes too many");
      }),
    );
  });

  it("reads or refuses any bytes with nothing but an AvroError", () => {
    const mutation = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(
        records,
        fc.array(mutation, { minLength: 1, maxLength: 8 }),
        fc.uint8Array({ maxLength: 200 }),
        (record, mutations, noise) => {
          const bytes = write(codec, record);
          for (const { at, byte } of mutations) bytes[at % bytes.length] = byte;
          for (const input of [bytes, Buffer.from(noise)]) {
            try {
              read(codec, input);
            } catch (error) {
              expect(error).toBeInstanceOf(AvroError);
            }
          }
        },
      ),
    );
  });
});

describe("what the reader refuses", () => {
  const order = {
    merchantId: "m",
    customerId: "c",
    orderId: "o",
    occurredAt: 0,
    currency: "USD",
    lines: [],
    paidWithCashbackMinor: 0n,
  };
  const head = write(orderPlacedCodec, { ...order, currency: "" }).subarray(0, 6);
  const refusal = (...tail: number[]): (() => unknown) => {
    return () => read(orderPlacedCodec, Buffer.concat([head, Buffer.from(tail)]));
  };

  it("names the field", () => {
    // Behind the head stand occurredAt, currency, the lines and what was paid with cashback.
    expect(refusal()).toThrow("occurredAt: the bytes end here");
    expect(refusal(0, 8, 85, 83)).toThrow("currency: a string of 4 bytes, 2 bytes left");
    expect(refusal(0, 2, 0xff, 0, 0)).toThrow("currency: not UTF-8");
    expect(refusal(0, 6, 0xed, 0xa0, 0x80, 0, 0)).toThrow("currency: not UTF-8");
    expect(refusal(0, 4, 0xc0, 0x80, 0, 0)).toThrow("currency: not UTF-8");
    expect(refusal(0, 1, 0, 0)).toThrow("currency: a string of -1 bytes");
    expect(refusal(0, 0, 2, 2, 65, 4, 0)).toThrow("lines[].category: union index 2 is out of range, there are 2");
    expect(refusal(0, 0, 2, 2, 65, 1, 0, 0)).toThrow("lines[].category: union index -1 is out of range");
    expect(refusal(0, 0, 2, 2, 65, 0, 0xff, 0xff, 0xff, 0xff, 0x1f)).toThrow("lines[].quantity: an int of more than 32 bits");
    expect(refusal(0, 0, 0, ...Array.from({ length: 9 }, () => 0xff), 2)).toThrow("paidWithCashbackMinor: a long of more than 64 bits");
    expect(refusal(...Array.from({ length: 9 }, () => 0xff), 1)).toThrow("occurredAt: -9223372036854775808 is out of range");
    expect(refusal(0, 0, 0, 0, 0)).toThrow("OrderPlaced: 1 bytes too many");
  });

  it("allocates nothing for a count that the bytes cannot hold", () => {
    expect(refusal(0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0)).toThrow("lines: 2147483647 items, 4 bytes left");
    expect(refusal(0, 0, 3, 0xfe, 0x7f)).toThrow("lines: a block of 8191 bytes, 0 bytes left");
  });

  it("takes blocks that tell their size, several of them", () => {
    // Two blocks of one line each; the first has a negative count and its size in bytes.
    const line = [2, 65, 0, 2, 4];
    expect(refusal(0, 0, 1, 10, ...line, 2, ...line, 0, 0)()).toMatchObject({ lines: [{ sku: "A", netMinor: 2n }, { quantity: 1 }] });
  });
});

describe("what the writer refuses", () => {
  const order = { merchantId: "m", customerId: "c", orderId: "o", occurredAt: 0, currency: "USD", lines: [], paidWithCashbackMinor: 0n };
  const change = {
    id: "i",
    merchantId: "m",
    customerId: "c",
    occurredAt: 0,
    orderId: null,
    fromTier: null,
    toTier: null,
    direction: "OTHER",
    reason: "order",
    nextTier: null,
    toNextTierMinor: null,
  };

  it("names the field", () => {
    const line = { sku: "s", category: null, quantity: 1, netMinor: 1n };
    const cases: [object, string][] = [
      [{ ...order, orderId: undefined }, "orderId: undefined for a string"],
      [{ ...order, orderId: "\ud800" }, "orderId: half of a surrogate pair"],
      [{ ...order, occurredAt: 1.5 }, "occurredAt: 1.5 is not a safe integer"],
      [{ ...order, occurredAt: Number.NaN }, "occurredAt: NaN is not a safe integer"],
      [{ ...order, paidWithCashbackMinor: 2n ** 63n }, "paidWithCashbackMinor: 9223372036854775808 is not a long of 64 bits"],
      [{ ...order, paidWithCashbackMinor: 5 }, "paidWithCashbackMinor: number for a bigint"],
      [{ ...order, lines: [{ ...line, quantity: 2 ** 31 }] }, "lines[].quantity: 2147483648 is not an int of 32 bits"],
      [{ ...order, lines: [{ ...line, category: undefined }] }, "lines[].category: undefined for a string"],
    ];
    for (const [record, message] of cases) expect(() => write(orderPlacedCodec, record)).toThrow(message);
    expect(() => write(tierChangedCodec, { ...change, direction: "UP" })).toThrow("direction: UP is no symbol");
  });

  it("writes large records into a buffer that grows", () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => ({
      sku: `sku-${i}`,
      category: "ü".repeat(i % 30),
      quantity: i,
      netMinor: BigInt(i) ** 3n,
    }));
    expect(read(orderPlacedCodec, write(orderPlacedCodec, { ...order, lines }))).toMatchObject({ lines });
  });
});
