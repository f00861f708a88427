import * as fc from "fast-check";
import { anyBytes, changedBytes, fuzz, oddValue } from "@perkstream/fuzz";
import { beforeAll, expect, test } from "vitest";
import { AvroWriter } from "./avro/writer.ts";
import { type DecodeResult, openDecoder, openJsonDecoder, type RecordDecoder } from "./decoder.ts";
import type { Registry } from "./registry.ts";
import { schemas } from "./schemas.ts";
import { parseRecord } from "./schema/model.ts";
import { arbitraryRecord } from "./testing/arbitrary.ts";
import { allCodecs, changed } from "./testing/codecs.ts";

const writer = new AvroWriter();

function encode(codec: (typeof allCodecs)[number], schemaId: number, record: object): Buffer {
  writer.open(schemaId);
  codec.write(writer, record as never);
  return writer.close();
}

/** Every schema of the repository by its number from 1 on; from `later` on the same with their fields turned round. */
const later = 100;
const texts = new Map(
  allCodecs.flatMap(({ schema }, i) => [
    [i + 1, schema],
    [later + i, changed(schema, ({ fields }) => fields.reverse())],
  ]),
);
const registry: Registry = { schemaOf: async (id) => texts.get(id) ?? null, idOf: async () => 1 };
const typed = openDecoder(registry, allCodecs);
const json = openJsonDecoder(registry);
const decoders: readonly RecordDecoder<unknown>[] = [typed, json];

beforeAll(async () => {
  for (const decoder of decoders) await decoder.prepare([...texts.keys()].map((id) => framed(id, Buffer.alloc(0))));
});

function framed(id: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, bytes]);
}

function expectRefusedOrRead(result: DecodeResult<unknown>): void {
  if (result.ok ? typeof result.event !== "object" : result.message === "") throw new Error(`neither a record nor a reason`);
}

/** Made once, since a record of a schema takes longer to make up than to read. */
const valid = fc.constantFrom(
  ...allCodecs.flatMap((codec, i) =>
    fc
      .sample(arbitraryRecord(parseRecord(codec.schema)), { numRuns: 40, seed: i })
      .map((record) => ({ codec, bytes: encode(codec, i + 1, record) })),
  ),
);
const anyId = fc.oneof(fc.constantFrom(...texts.keys()), fc.constantFrom(0, -1, 99, 2 ** 31 - 1, -(2 ** 31)));
const hostile = fc.oneof(
  { weight: 6, arbitrary: changedBytes(valid.map(({ bytes }) => bytes)) },
  // What one schema has written, said to be of another one, or of none.
  { weight: 2, arbitrary: fc.tuple(anyId, valid).map(([id, { bytes }]) => framed(id, bytes.subarray(5))) },
  { weight: 1, arbitrary: fc.tuple(anyId, anyBytes).map(([id, bytes]) => framed(id, bytes)) },
  { weight: 1, arbitrary: anyBytes },
);

test("every schema of the repository is among them", () => {
  expect(allCodecs.map(({ subject }) => subject).toSorted()).toEqual(schemas.map(({ subject }) => subject).toSorted());
});

test("no bytes make a decoder throw, and a valid record after them is read as ever", async () => {
  await fuzz({ name: "decoders, bytes", slice: 5_000 }, fc.tuple(hostile, valid), async ([bytes, { codec, bytes: good }]) => {
    for (const decoder of decoders) {
      await decoder.prepare([bytes]);
      expectRefusedOrRead(decoder.decode(bytes));
    }
    const read = typed.decode(good);
    if (!read.ok || !encode(codec, read.schemaId, read.event).equals(good)) throw new Error(`${codec.type} is not what was written`);
    if (!json.decode(good).ok) throw new Error(`${codec.type} is not read as JSON`);
  });
}, 3_600_000);

/** JSON that looks like a schema: names that are there or not, types within each other, things that are none. */
const names = fc.constantFrom("A", "B", "C", "perkstream.orders.OrderPlaced", "OrderLine", "a.b.C", "", "1x", "\u0000");
const { schema: anySchema } = fc.letrec<{ schema: unknown }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom("null", "boolean", "int", "long", "float", "double", "bytes", "string"),
    names,
    fc.constant({ type: "long", logicalType: "timestamp-millis" }),
    fc.record({ type: fc.constant("fixed"), name: names, size: fc.constantFrom(0, 1, 3, -1, 1.5, 2 ** 31, 2 ** 53) }),
    fc.record({ type: fc.constant("enum"), name: names, symbols: fc.array(names, { maxLength: 3 }), default: names }),
    fc.record({ type: fc.constant("array"), items: tie("schema") }),
    fc.record({ type: fc.constant("map"), values: tie("schema") }),
    fc.array(tie("schema"), { maxLength: 3 }),
    fc.record({
      type: fc.constant("record"),
      name: names,
      fields: fc.array(fc.record({ name: names, type: tie("schema"), default: oddValue }, { requiredKeys: ["name", "type"] }), {
        maxLength: 4,
      }),
    }),
  ),
}));
const ownSchema = fc
  .tuple(fc.constantFrom(...allCodecs), fc.nat(), fc.oneof(anySchema, oddValue), oddValue)
  .map(([{ schema }, at, type, value]) =>
    changed(schema, ({ fields }) => {
      const field = fields[at % fields.length];
      if (field !== undefined) Object.assign(field, at % 2 === 0 ? { type } : { type, default: value });
    }),
  );
const schemaText = fc.oneof(
  anySchema.map((schema) => JSON.stringify(schema)),
  fc.array(anySchema, { minLength: 1, maxLength: 4 }).map((types) => recordOf(types)),
  ownSchema,
  fc.string({ maxLength: 30 }),
);

function recordOf(types: readonly unknown[]): string {
  const fields = types.map((type, i) => ({ name: `f${i}`, type }));
  return JSON.stringify({ type: "record", name: "perkstream.orders.OrderPlaced", fields });
}

test("no writer's schema makes a decoder throw, whatever its records hold", async () => {
  await fuzz({ name: "decoders, schemas", slice: 1_000, share: 0.1 }, fc.tuple(schemaText, anyBytes), async ([text, bytes]) => {
    const foreign: Registry = { schemaOf: async () => text, idOf: async () => 1 };
    const value = framed(1, bytes);
    for (const decoder of [openDecoder(foreign, allCodecs), openJsonDecoder(foreign)]) {
      await decoder.prepare([value]);
      expectRefusedOrRead(decoder.decode(value));
    }
  });
}, 3_600_000);
