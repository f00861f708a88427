import { fixedRegistry, openOrderDecoder, openOrderEncoder } from "@perkstream/contracts";
import { describe, expect, it } from "vitest";
import { decodeOrder, type OrderDecoder } from "./decode.ts";
import { partitionOfKey } from "./domain/partition.ts";
import { handle } from "./handle.ts";
import { emptyOrders } from "./store/book.ts";
import { cancelled, entryOf, MERCHANT, placed, refunded } from "./testing/events.ts";
import { recordingEffects } from "./testing/memory.ts";

const registry = fixedRegistry();
const decoder: OrderDecoder = openOrderDecoder(registry);
const encoder = await openOrderEncoder(registry);

describe("decodeOrder", () => {
  it("gives back checked events and the merchant that they are of", async () => {
    for (const event of [placed({ customerId: "Zoë 😀" }), refunded("r1", [[0, 5]]), cancelled({ reason: "late" })]) {
      const { record } = entryOf(event);
      const value = encoder.encode(event);
      await decoder.prepare([value]);
      expect(decodeOrder(decoder, { ...record, value })).toEqual({ event, scope: MERCHANT });
    }
  });

  it("bytes that do not decode are the merchant's whom the key names", async () => {
    const { record } = entryOf(placed());
    const whole = encoder.encode(placed());
    for (const value of [null, Buffer.alloc(0), Buffer.from("00ff", "hex"), whole.subarray(0, -1)]) {
      await decoder.prepare([value]);
      expect(decodeOrder(decoder, { ...record, value })).toMatchObject({ rejected: { reason: "invalid_event" }, scope: MERCHANT });
      expect(decodeOrder(decoder, { ...record, key: null, value }).scope).toBeNull();
    }
  });

  it("what decodes and is not valid names the field", async () => {
    const event = placed({ netMinor: [1, -1] });
    const value = encoder.encode(event);
    await decoder.prepare([value]);
    const rejected = { reason: "invalid_event", message: "lines[1].netMinor must be at least 0" };
    expect(decodeOrder(decoder, { ...entryOf(event).record, value })).toEqual({ rejected, scope: MERCHANT });
  });
});

describe("a record's partition", () => {
  const events = ["c1", "Zoë 😀", "c1"].map((customerId) => placed({ customerId }));

  it("is the one that its key belongs in, when the number of partitions is given", () => {
    for (const event of events) {
      const { record } = entryOf(event, { value: encoder.encode(event) });
      const own = partitionOfKey(record.key!, 12);
      expect(decodeOrder(decoder, { ...record, partition: own }, 12)).toEqual({ event, scope: MERCHANT });
      const other = (own + 1) % 12;
      const message = `the record is in partition ${other}, its key belongs in partition ${own}`;
      expect(decodeOrder(decoder, { ...record, partition: other }, 12)).toEqual({
        rejected: { reason: "invalid_event", message },
        scope: MERCHANT,
      });
      expect(decodeOrder(decoder, { ...record, partition: other })).toEqual({ event, scope: MERCHANT });
    }
  });

  it("is looked at last", () => {
    const event = placed({ netMinor: [-1] });
    const rejected = { message: "lines[0].netMinor must be at least 0" };
    for (const partition of [0, 1, 2]) {
      expect(decodeOrder(decoder, { ...entryOf(event, { value: encoder.encode(event) }).record, partition }, 3)).toMatchObject({
        rejected,
      });
    }
  });
});

describe("the same content", () => {
  it("in another encoding of the same record is a duplicate", async () => {
    const event = placed({ netMinor: [1000, 1] });
    const value = encoder.encode(event);
    // Avro may write an array in blocks with their sizes: two lines of 7 and 6 bytes as one block of -2 items.
    const lines = value.indexOf(Buffer.from("0673", "hex"));
    const size = value.length - 2 - lines;
    const inBlocks = Buffer.concat([value.subarray(0, lines - 1), Buffer.from([0x03, size * 2]), value.subarray(lines)]);
    await decoder.prepare([value, inBlocks]);
    const orders = emptyOrders(decoder);
    const shop = { id: 1, currency: "USD" };
    const effects = { ...recordingEffects(), counted: () => ({ extra: {}, notices: [] }) };
    const outcomes = [value, inBlocks].map((bytes) => {
      const decoded = decodeOrder(decoder, { ...entryOf(event).record, value: bytes });
      if (!("event" in decoded)) throw new Error(decoded.rejected.message);
      return handle(orders, { ...decoded, record: { ...entryOf(event).record, value: bytes } }, shop, {
        ...effects,
        refunded: () => ({ asOf: 0, extra: {}, notices: [] }),
      });
    });
    expect(outcomes.map(({ result }) => result)).toEqual(["applied", "duplicate"]);
  });
});
