import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { orderPlacedCodec } from "./generated/OrderPlaced.ts";
import { ordersCodecs } from "./generated/orders.ts";
import { tierChangedCodec } from "./generated/TierChanged.ts";
import {
  fixedRegistry,
  openJsonDecoder,
  openNotificationDecoder,
  openNotificationEncoder,
  openOrderDecoder,
  openOrderEncoder,
  type OrderEvent,
  type Registry,
  RegistryError,
} from "./index.ts";
import { parseRecord } from "./schema/model.ts";
import { arbitraryRecord } from "./testing/arbitrary.ts";
import { exactType } from "./avro/avsc-long.ts";
import { forAvsc } from "./testing/for-avsc.ts";
import { changed, type SchemaJson } from "./testing/codecs.ts";
import { samples } from "./testing/samples.ts";

const order = samples.find((sample) => sample.type === "OrderPlaced") as Extract<OrderEvent, { type: "OrderPlaced" }>;

function framed(id: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, bytes]);
}

/** Writes with avsc by a changed schema and reads with our decoder of today. */
async function readOther(schema: string, record: object, id = 77) {
  const decoder = openOrderDecoder(fixedRegistry(new Map([[id, schema]])));
  const value = framed(id, exactType(schema).toBuffer(forAvsc(record)));
  await decoder.prepare([value]);
  return decoder.decode(value);
}

const field = (json: SchemaJson, name: string) => json.fields.find((other) => other.name === name);

describe("another version of the writer's schema", () => {
  const { schema } = orderPlacedCodec;

  it("with fields added, in the middle and at the end", async () => {
    const later = changed(schema, (json) => {
      json.fields.splice(2, 0, { name: "channel", type: ["null", "string"], default: null });
      json.fields.push({ name: "tags", type: { type: "map", values: "long" }, default: {} });
    });
    expect(await readOther(later, { ...order, channel: "web", tags: { a: 1n } })).toEqual({ ok: true, event: order, schemaId: 77 });
  });

  it("with fields in another order, and in lines too", async () => {
    const reordered = changed(schema, (json) => {
      json.fields.reverse();
      const lines = field(json, "lines")?.type as { items: SchemaJson };
      lines.items.fields.reverse();
    });
    expect(await readOther(reordered, order)).toEqual({ ok: true, event: order, schemaId: 77 });
  });

  it("without a field that has a default", async () => {
    const earlier = changed(schema, (json) => {
      json.fields = json.fields.filter(({ name }) => name !== "paidWithCashbackMinor");
      const lines = field(json, "lines")?.type as { items: SchemaJson };
      lines.items.fields = lines.items.fields.filter(({ name }) => name !== "category");
    });
    const result = await readOther(earlier, order);
    expect(result).toEqual({
      ok: true,
      schemaId: 77,
      event: { ...order, paidWithCashbackMinor: 0n, lines: order.lines.map((line) => ({ ...line, category: null })) },
    });
  });

  it("with an int where we have a long", async () => {
    const narrow = changed(schema, (json) => {
      const paid = field(json, "paidWithCashbackMinor");
      if (paid) paid.type = "int";
    });
    expect(await readOther(narrow, { ...order, paidWithCashbackMinor: 250 })).toMatchObject({
      ok: true,
      event: { paidWithCashbackMinor: 250n },
    });
  });

  it("with an enum symbol that we do not know", async () => {
    const wider = changed(tierChangedCodec.schema, (json) => {
      const direction = field(json, "direction")?.type as { symbols: string[] };
      direction.symbols.unshift("SIDEWAYS");
    });
    const notice = samples.find((sample) => sample.type === "TierChanged");
    const decoder = openNotificationDecoder(fixedRegistry(new Map([[77, wider]])));
    for (const [written, expected] of [
      ["SIDEWAYS", "OTHER"],
      ["DEMOTED", "DEMOTED"],
    ]) {
      const value = framed(77, exactType(wider).toBuffer(forAvsc({ ...notice, direction: written })));
      await decoder.prepare([value]);
      expect(decoder.decode(value)).toMatchObject({ ok: true, event: { direction: expected } });
    }
  });

  it("keeps every value, extremes too", async () => {
    const reordered = changed(schema, (json) => json.fields.reverse());
    const type = exactType(reordered);
    const decoder = openOrderDecoder(fixedRegistry(new Map([[77, reordered]])));
    await decoder.prepare([framed(77, Buffer.alloc(0))]);
    fc.assert(
      fc.property(arbitraryRecord(parseRecord(schema)), (record) => {
        const result = decoder.decode(framed(77, type.toBuffer(forAvsc(record))));
        expect(result).toEqual({ ok: true, event: { type: "OrderPlaced", ...record }, schemaId: 77 });
      }),
    );
  });

  it("that we cannot read is refused, not thrown", async () => {
    const foreign = changed(schema, (json) => {
      const currency = field(json, "currency");
      if (currency) currency.type = "double";
    });
    const result = await readOther(foreign, { ...order, currency: 1.5 });
    expect(result).toMatchObject({ ok: false, message: expect.stringContaining("writer's schema:") as string });
  });
});

describe("what is no order", () => {
  const registry = fixedRegistry(
    new Map([
      [80, "no JSON"],
      [81, '"string"'],
      [82, '{"type":"record","name":"Loop","fields":[{"name":"next","type":["null","Loop"]}]}'],
    ]),
  );

  it("is refused with a message", async () => {
    const decoder = openOrderDecoder(registry);
    const notices = await openNotificationEncoder(registry);
    const notice = samples.find((sample) => sample.type === "CashbackExpired");
    const cases: [Buffer | null, string][] = [
      [null, "a record without a value"],
      [Buffer.alloc(0), "0 bytes are too few for the framing"],
      [Buffer.of(0, 0, 0, 1), "4 bytes are too few for the framing"],
      [Buffer.of(1, 0, 0, 0, 1), "the first byte is 1, not the framing's 0"],
      [Buffer.from('{"orderId":"o"}'), "the first byte is 123, not the framing's 0"],
      [framed(0, Buffer.alloc(0)), "0 is no schema id"],
      [framed(-5, Buffer.alloc(0)), "-5 is no schema id"],
      [framed(999, Buffer.alloc(0)), "schema id 999 is not in the registry"],
      [framed(80, Buffer.alloc(0)), "writer's schema: not JSON"],
      [framed(81, Buffer.alloc(0)), "writer's schema: a string where a record is wanted"],
      [framed(82, Buffer.alloc(0)), "writer's schema: Loop is none of"],
      [
        notices.encode("CashbackExpired", notice as never),
        "perkstream.notifications.CashbackExpired is none of OrderCancelled, OrderPlaced, OrderRefunded",
      ],
      [framed(2, Buffer.alloc(0)), "merchantId: the bytes end here"],
    ];
    await decoder.prepare(cases.map(([value]) => value));
    for (const [value, message] of cases) {
      expect(decoder.decode(value)).toEqual({ ok: false, message: expect.stringContaining(message) as string });
    }
  });

  it("is refused at once, also with types that are within each other in two to the thirtieth ways", async () => {
    let items: unknown = { type: "record", name: "R0", fields: [{ name: "a", type: "null" }] };
    for (let depth = 1; depth <= 30; depth += 1) {
      const fields = [
        { name: "a", type: items },
        { name: "b", type: `R${depth - 1}` },
      ];
      items = { type: "record", name: `R${depth}`, fields };
    }
    const schema = { type: "record", name: "Wide", fields: [{ name: "all", type: { type: "array", items } }] };
    const decoder = openJsonDecoder(fixedRegistry(new Map([[90, JSON.stringify(schema)]])));
    const value = framed(90, Buffer.alloc(0));
    await decoder.prepare([value]);
    expect(decoder.decode(value)).toEqual({ ok: false, message: "writer's schema: all: items that may take no bytes are not supported" });
  });

  it("never throws for any bytes, by our schema or another version of it", async () => {
    const { schema } = orderPlacedCodec;
    const reordered = changed(schema, (json) => json.fields.reverse());
    const known = fixedRegistry(new Map([[77, reordered]]));
    const decoder = openOrderDecoder(known);
    const json = openJsonDecoder(known);
    const ids = [...Array.from({ length: Object.keys(ordersCodecs).length }, (_, i) => i + 1), 77];
    await Promise.all([
      decoder.prepare(ids.map((id) => framed(id, Buffer.alloc(0)))),
      json.prepare(ids.map((id) => framed(id, Buffer.alloc(0)))),
    ]);
    const good = exactType(reordered).toBuffer(forAvsc(order));
    const decodeBoth = (value: Buffer) => [decoder.decode(value), json.decode(value)];
    const mutations = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...ids), mutations, fc.nat(), fc.uint8Array({ maxLength: 120 }), (id, changes, cut, noise) => {
        const bytes = Buffer.from(good);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        for (const tail of [bytes, bytes.subarray(0, cut % bytes.length), noise]) {
          const messages = decodeBoth(framed(id, tail)).map((result) => (result.ok ? "fine" : result.message));
          expect(messages).not.toContain("");
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("asking the registry", () => {
  function counting(answer: (id: number) => string | null) {
    const asked: number[] = [];
    const registry: Registry = {
      schemaOf: async (id) => {
        asked.push(id);
        await Promise.resolve();
        return answer(id);
      },
      idOf: async () => 1,
    };
    return { asked, registry };
  }
  const value = framed(5, exactType(orderPlacedCodec.schema).toBuffer(forAvsc(order)));

  it("happens once per id, however many ask at once", async () => {
    const { asked, registry } = counting(() => orderPlacedCodec.schema);
    const decoder = openOrderDecoder(registry);
    await Promise.all([decoder.prepare([value, value, null]), decoder.prepare([value]), decoder.prepare([Buffer.of(9)])]);
    await decoder.prepare([value]);
    expect(asked).toEqual([5]);
    expect(decoder.decode(value)).toEqual({ ok: true, event: order, schemaId: 5 });
  });

  it("remembers an unknown id for a while", async () => {
    let now = 1_000;
    let registered = false;
    const { asked, registry } = counting(() => (registered ? orderPlacedCodec.schema : null));
    const decoder = openOrderDecoder(registry, { now: () => now });
    await decoder.prepare([value]);
    await decoder.prepare([value]);
    expect(asked).toEqual([5]);
    expect(decoder.decode(value)).toEqual({ ok: false, message: "schema id 5 is not in the registry" });
    registered = true;
    now += 30_000;
    await decoder.prepare([value]);
    expect(asked).toEqual([5, 5]);
    expect(decoder.decode(value)).toMatchObject({ ok: true });
  });

  it("remembers a bounded number of ids", async () => {
    const { asked, registry } = counting(() => null);
    const decoder = openOrderDecoder(registry);
    for (let from = 1; from <= 30_000; from += 5_000) {
      const values = Array.from({ length: 5_000 }, (_, i) => framed(from + i, Buffer.alloc(0)));
      await decoder.prepare(values);
      for (const one of values) expect(decoder.decode(one).ok).toBe(false);
    }
    expect(asked.length).toBe(30_000);
    await decoder.prepare([framed(1, Buffer.alloc(0))]);
    expect(asked.length).toBe(30_001);
  });

  it("keeps what a batch needs, however many ids nobody knows come with it", async () => {
    const { asked, registry } = counting((id) => (id === 5 ? orderPlacedCodec.schema : null));
    const decoder = openOrderDecoder(registry);
    const hostile = (from: number, count: number) => Array.from({ length: count }, (_, i) => framed(from + i, Buffer.alloc(0)));
    await decoder.prepare([value]);
    await decoder.prepare([value, ...hostile(1_000, 10_000)]);
    expect(decoder.decode(value).ok).toBe(true);
    const own = hostile(1_000, 10_000); // all known as unknown, and one more that needs room
    await decoder.prepare([...own, ...hostile(20_000, 1), value]);
    for (const one of own) expect(decoder.decode(one).ok).toBe(false);
    expect(decoder.decode(value).ok).toBe(true);
    expect(asked.filter((id) => id === 5)).toEqual([5]);
  });

  it("drops ids nobody knows before schemas that are used", async () => {
    const { asked, registry } = counting((id) => (id === 5 ? orderPlacedCodec.schema : null));
    const decoder = openOrderDecoder(registry);
    await decoder.prepare([value]);
    for (let from = 1_000; from < 31_000; from += 5_000) {
      await decoder.prepare(Array.from({ length: 5_000 }, (_, i) => framed(from + i, Buffer.alloc(0))));
    }
    await decoder.prepare([value]);
    expect(decoder.decode(value).ok).toBe(true);
    expect(asked.filter((id) => id === 5)).toEqual([5]);
  });

  it("of usable schemas drops those that were not used for longest", async () => {
    const { asked, registry } = counting(() => orderPlacedCodec.schema);
    const decoder = openOrderDecoder(registry);
    const others = (from: number) => Array.from({ length: 4_000 }, (_, i) => framed(from + i, Buffer.alloc(0)));
    await decoder.prepare([value]);
    for (const from of [1_000, 5_000, 9_000]) {
      await decoder.prepare(others(from));
      await decoder.prepare([value]);
    }
    expect(asked.filter((id) => id === 5)).toEqual([5]);
  });

  it("drops nothing that a batch still waits with", async () => {
    const { registry } = counting((id) => (id < 1_000 ? orderPlacedCodec.schema : null));
    let release: () => void = () => {};
    const slow: Registry = {
      ...registry,
      schemaOf: async (id) => {
        if (id === 6) await new Promise<void>((resolve) => (release = resolve));
        return registry.schemaOf(id);
      },
    };
    const decoder = openOrderDecoder(slow);
    const unknown = framed(999_999, Buffer.alloc(0));
    await decoder.prepare([unknown]);
    const waiting = decoder.prepare([unknown, framed(6, Buffer.alloc(0))]);
    await decoder.prepare(Array.from({ length: 10_000 }, (_, i) => framed(1_000 + i, Buffer.alloc(0))));
    release();
    await waiting;
    expect(decoder.decode(unknown).ok).toBe(false);
  });

  it("passes an outage on and asks again", async () => {
    let down = true;
    const { asked, registry } = counting(() => {
      if (down) throw new RegistryError("connection refused", true);
      return orderPlacedCodec.schema;
    });
    const decoder = openOrderDecoder(registry);
    await expect(decoder.prepare([value])).rejects.toThrow("connection refused");
    expect(() => decoder.decode(value)).toThrow("without prepare()");
    down = false;
    await decoder.prepare([value]);
    expect(asked).toEqual([5, 5]);
    expect(decoder.decode(value).ok).toBe(true);
  });

  it("tells an encoder which schema is not registered", async () => {
    const registry: Registry = {
      schemaOf: async () => null,
      idOf: async (subject) => {
        throw new RegistryError(`${subject}: this schema is not registered`, false);
      },
    };
    await expect(openOrderEncoder(registry)).rejects.toThrow("orders.v1-perkstream.orders.Order");
  });
});

describe("the JSON decoder", () => {
  it("gives any record as plain JSON", async () => {
    const registry = fixedRegistry();
    const encoder = await openNotificationEncoder(registry);
    const json = openJsonDecoder(registry);
    const notice = samples.find((sample) => sample.type === "CashbackEarned");
    const value = encoder.encode("CashbackEarned", notice as never);
    await json.prepare([value]);
    const result = json.decode(value);
    expect(result.ok && JSON.parse(JSON.stringify(result.event))).toEqual({
      type: "CashbackEarned",
      data: {
        id: "c0a8d5a4-4b5e-5d0e-9a52-0d3c1c1f2b11",
        merchantId: "4f981b0b-accf-4eb7-8018-7cd651c7e907",
        customerId: "customer-7",
        occurredAt: "2025-01-31T12:34:56.789Z",
        orderId: "order-42",
        amountMinor: 49,
        currency: "USD",
        campaigns: ["Spring", "Доброе утро"],
        availableAt: "2025-02-14T12:34:56.789Z",
        expiresAt: null,
        balanceMinor: -12_345,
      },
    });
  });

  it("also of types that this release does not know", async () => {
    const schema = JSON.stringify({
      type: "record",
      name: "StampCollected",
      namespace: "perkstream.notifications",
      fields: [
        { name: "id", type: "string" },
        { name: "kind", type: { type: "enum", name: "Kind", symbols: ["A", "B"] } },
        { name: "raw", type: "bytes" },
        { name: "hash", type: { type: "fixed", name: "Hash", size: 2 } },
        { name: "share", type: "double" },
        { name: "half", type: "float" },
        { name: "flag", type: "boolean" },
        { name: "extra", type: { type: "map", values: ["null", "long", "string"] } },
        { name: "when", type: ["null", { type: "long", logicalType: "timestamp-millis" }] },
      ],
    });
    const json = openJsonDecoder(fixedRegistry(new Map([[90, schema]])));
    const record = {
      id: "i",
      kind: "B",
      raw: Buffer.of(1, 2),
      hash: Buffer.of(3, 4),
      share: 0.1,
      half: 0.5,
      flag: true,
      extra: { a: null, b: 5n, __proto: "c" },
      when: 0n,
    };
    const value = framed(90, exactType(schema).toBuffer(record));
    await json.prepare([value]);
    expect(json.decode(value)).toEqual({
      ok: true,
      schemaId: 90,
      event: {
        type: "StampCollected",
        data: {
          id: "i",
          kind: "B",
          raw: "AQI=",
          hash: "AwQ=",
          share: 0.1,
          half: 0.5,
          flag: true,
          extra: { a: null, b: 5, __proto: "c" },
          when: "1970-01-01T00:00:00.000Z",
        },
      },
    });
  });
});
