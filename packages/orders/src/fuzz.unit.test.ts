import * as fc from "fast-check";
import { fixedRegistry, openOrderDecoder, openOrderEncoder, type OrderEvent } from "@perkstream/contracts";
import { anyBytes, changedBytes, fuzz, oddText } from "@perkstream/fuzz";
import { expect, test } from "vitest";
import { decodeOrder } from "./decode.ts";
import { partitionOfKey } from "./domain/partition.ts";
import { cancelled, MERCHANT, NOON, placed, refunded } from "./testing/events.ts";

const registry = fixedRegistry();
const decoder = openOrderDecoder(registry);
const encoder = await openOrderEncoder(registry);
const partitions = 12;

const texts = oddText.filter((text) => text.isWellFormed());
const longs = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(-1n, 0n, 1n, 2n ** 53n - 1n, 2n ** 53n));
const instants = fc.oneof(
  fc.constantFrom(NOON, -1, 0, Date.UTC(2200, 0, 1) - 1, Date.UTC(2200, 0, 1), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
  fc.maxSafeInteger(),
);
const ids = fc.oneof({ weight: 3, arbitrary: fc.constantFrom("c1", "Zoë 😀", "x".repeat(64)) }, { weight: 1, arbitrary: texts });
/** Most is as it should be, so that what is odd is often the only thing that is. */
const mostly = <T>(usual: T, odd: fc.Arbitrary<T>) => fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: odd });
const common = fc.record(
  { merchantId: mostly(MERCHANT, texts), customerId: ids, orderId: ids, occurredAt: mostly(NOON, instants) },
  { requiredKeys: [] },
);
const line = fc.record({ sku: texts, category: fc.option(texts), quantity: fc.integer(), netMinor: longs });
const lineOfRefund = fc.record({ line: fc.integer(), netMinor: longs });

/** Well-formed records, valid or not: amounts, times, texts and numbers of lines of every kind. */
const events: fc.Arbitrary<OrderEvent> = fc.oneof(
  common.map((over) => placed(over)),
  fc
    .tuple(common, fc.array(line, { maxLength: 5 }), texts, longs)
    .map(([over, lines, currency, paid]) => ({ ...placed({ ...over, currency, paidWithCashbackMinor: paid }), lines })),
  fc.tuple(common, fc.constantFrom(1_999, 2_000, 2_001)).map(([over, count]) => {
    return placed({ ...over, netMinor: Array.from({ length: count }, () => 1) });
  }),
  fc
    .tuple(common, texts, fc.array(lineOfRefund, { maxLength: 5 }))
    .map(([over, refundId, lines]) => ({ ...refunded("r1", [[0, 1]], over), refundId, lines })),
  fc.tuple(common, fc.option(texts)).map(([over, reason]) => cancelled({ ...over, reason })),
);

/** Made once, since an event takes longer to make up than to judge. */
const made = fc.sample(events, { numRuns: 2_000, seed: 1 });
const encoded = fc.constantFrom(...made.map((event) => encoder.encode(event)));
const values = fc.oneof(
  { weight: 2, arbitrary: encoded },
  { weight: 4, arbitrary: changedBytes(encoded) },
  { weight: 1, arbitrary: anyBytes },
  { weight: 1, arbitrary: fc.constant(null) },
);
const keys = fc.oneof(
  fc.constantFrom(null, Buffer.alloc(0), Buffer.from(`${MERCHANT}:c1`), Buffer.from(MERCHANT), Buffer.from(`${MERCHANT}:`)),
  ids.map((id) => Buffer.from(`${MERCHANT}:${id}`)),
  anyBytes,
);
const timestamps = fc.oneof(instants, fc.constantFrom(Number.NaN, -(2 ** 63), 2 ** 63 - 1));
const anyRecords = fc.record({
  partition: fc.nat({ max: partitions - 1 }),
  offset: fc.nat(),
  timestamp: timestamps,
  key: keys,
  value: values,
  headers: fc.constant({}),
});
/** Of the right key and partition, so that the event itself is judged. */
const placedRecords = fc
  .record({ event: fc.constantFrom(...made), timestamp: timestamps, offset: fc.nat() })
  .map(({ event, ...record }) => {
    const key = Buffer.from(`${event.merchantId}:${event.customerId}`);
    return { ...record, partition: partitionOfKey(key, partitions), key, value: encoder.encode(event), headers: {} };
  });
const records = fc.oneof({ weight: 4, arbitrary: anyRecords }, { weight: 1, arbitrary: placedRecords });

const valid = placed({ customerId: "Zoë 😀" });
const validKey = Buffer.from(`${MERCHANT}:Zoë 😀`);
const validRecord = {
  partition: partitionOfKey(validKey, partitions),
  offset: 1,
  timestamp: NOON,
  key: validKey,
  value: encoder.encode(valid),
  headers: {},
};

/** What the columns of the order tables hold: text without U+0000, instants before 2200, amounts that are safe integers. */
function isStorable(event: OrderEvent): boolean {
  const text = JSON.stringify(event, (_name, value: unknown) => (typeof value === "bigint" ? Number(value) : value));
  const amounts = event.type === "OrderCancelled" ? [] : event.lines.map(({ netMinor }) => netMinor);
  return (
    !text.includes("\\u0000") &&
    event.occurredAt >= 0 &&
    event.occurredAt < Date.UTC(2200, 0, 1) &&
    amounts.length <= 2_000 &&
    amounts.every((amount) => amount >= 0n && amount <= BigInt(Number.MAX_SAFE_INTEGER))
  );
}

test("every record becomes an event that can be stored or a rejection that says why, and valid ones are read as ever", async () => {
  await fuzz({ name: "decoders, orders", slice: 3_000 }, records, async (record) => {
    await decoder.prepare([record.value, validRecord.value]);
    const decoded = decodeOrder(decoder, record, partitions);
    if ("rejected" in decoded) {
      const { reason, message } = decoded.rejected;
      if (reason !== "invalid_event" || message === "") throw new Error(`rejected as ${reason} for "${message}"`);
    } else {
      const { event } = decoded;
      expect(record.key?.toString()).toBe(`${event.merchantId}:${event.customerId}`);
      if (!isStorable(event)) throw new Error("an event that cannot be stored was let through");
    }
    const read = decodeOrder(decoder, validRecord, partitions);
    if (!("event" in read) || read.event.customerId !== valid.customerId) throw new Error("a valid order is refused");
  });
}, 3_600_000);
