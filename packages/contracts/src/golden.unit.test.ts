import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { fixedRegistry, openNotificationDecoder, openNotificationEncoder, openOrderDecoder, openOrderEncoder } from "./index.ts";
import { exactType } from "./avro/avsc-long.ts";
import { forAvsc } from "./testing/for-avsc.ts";
import { allCodecs } from "./testing/codecs.ts";
import { samples } from "./testing/samples.ts";

const registry = fixedRegistry();
const orders = await openOrderEncoder(registry);
const notifications = await openNotificationEncoder(registry);
const orderDecoder = openOrderDecoder(registry);
const notificationDecoder = openNotificationDecoder(registry);

/** The bytes of a record without its framing, as committed. */
async function golden(type: string): Promise<Buffer> {
  const text = await readFile(new URL(`../golden/${type}.hex`, import.meta.url), "utf8");
  return Buffer.from(text.replaceAll(/\s/g, ""), "hex");
}

describe("golden bytes", () => {
  it("there is a sample of every record type", () => {
    expect(samples.map(({ type }) => type).sort()).toEqual(allCodecs.map(({ type }) => type).sort());
  });

  it.each(samples.map((sample) => [sample.type, sample] as const))("%s is written and read as ever", async (type, sample) => {
    const bytes = await golden(type);
    const isOrder = sample.type === "OrderPlaced" || sample.type === "OrderRefunded" || sample.type === "OrderCancelled";
    const value = isOrder ? orders.encode(sample) : notifications.encode(sample.type, sample);
    const schemaId = 1 + allCodecs.findIndex((codec) => codec.type === type);
    expect(value.subarray(0, 5)).toEqual(Buffer.of(0, 0, 0, 0, schemaId));
    expect(value.subarray(5).toString("hex")).toBe(bytes.toString("hex"));

    const decoder = isOrder ? orderDecoder : notificationDecoder;
    await decoder.prepare([value]);
    expect(decoder.decode(value)).toEqual({ ok: true, event: sample, schemaId });

    const other = exactType(allCodecs.find((codec) => codec.type === type)?.schema ?? "");
    expect(forAvsc({ ...other.fromBuffer(bytes) })).toEqual(forAvsc(sample));
  });
});
