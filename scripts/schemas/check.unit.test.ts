import { parseRecord } from "@perkstream/contracts/schema";
import { afterEach, describe, expect, it } from "vitest";
import { checkReleased, compareBothWays, formatViolation } from "./check.ts";
import { schemasFolder } from "./register.ts";
import { readReleased, release } from "./released.ts";
import { copyOfSchemas, type SchemaJson } from "./testing.ts";

let copy: Awaited<ReturnType<typeof copyOfSchemas>> | undefined;
afterEach(() => copy?.remove());

const typeOf = (json: SchemaJson, name: string) => json.fields.find((field) => field.name === name)?.type;
const subject = "orders.v1-perkstream.orders.OrderPlaced";

describe("schemas check", () => {
  it("finds nothing in the schemas of the repository", async () => {
    expect(await checkReleased(schemasFolder)).toEqual([]);
  });

  it.each<[string, (json: SchemaJson) => void, string[]]>([
    [
      "a field without a default is added",
      (json) => json.fields.push({ name: "channel", type: "string" }),
      [
        `${subject}: OrderPlaced.channel: READER_FIELD_MISSING_DEFAULT_VALUE: this schema cannot read records of released version 1: the writer has no such field and the reader has no default for it`,
      ],
    ],
    [
      "a field without a default is removed",
      (json) => (json.fields = json.fields.filter((field) => field.name !== "currency")),
      [
        `${subject}: OrderPlaced.currency: READER_FIELD_MISSING_DEFAULT_VALUE: released version 1 cannot read records of this schema: the writer has no such field and the reader has no default for it`,
      ],
    ],
    [
      "a type within the lines changes",
      (json) => {
        const lines = typeOf(json, "lines") as { items: SchemaJson };
        for (const field of lines.items.fields) if (field.name === "netMinor") field.type = "string";
      },
      [
        `${subject}: OrderPlaced.lines.netMinor: TYPE_MISMATCH: this schema cannot read records of released version 1: the reader has string, the writer long`,
        `${subject}: OrderPlaced.lines.netMinor: TYPE_MISMATCH: released version 1 cannot read records of this schema: the reader has long, the writer string`,
      ],
    ],
    [
      "an int becomes a long, which only one side can read",
      (json) => {
        const lines = typeOf(json, "lines") as { items: SchemaJson };
        for (const field of lines.items.fields) if (field.name === "quantity") field.type = "long";
      },
      [
        `${subject}: OrderPlaced.lines.quantity: TYPE_MISMATCH: released version 1 cannot read records of this schema: the reader has int, the writer long`,
      ],
    ],
    [
      "a field may be null from now on",
      (json) => {
        for (const field of json.fields) if (field.name === "currency") field.type = ["null", "string"];
      },
      [
        `${subject}: OrderPlaced.currency: TYPE_MISMATCH: released version 1 cannot read records of this schema: the reader has string, the writer null`,
      ],
    ],
    ["a field with a default is added", (json) => json.fields.push({ name: "channel", type: ["null", "string"], default: null }), []],
    [
      "a field with a default is removed",
      (json) => (json.fields = json.fields.filter((field) => field.name !== "paidWithCashbackMinor")),
      [],
    ],
    ["fields change places", (json) => json.fields.reverse(), []],
  ])("when %s", async (_, change, expected) => {
    copy = await copyOfSchemas();
    await copy.edit("orders/OrderPlaced.avsc", change);
    expect((await checkReleased(copy.root)).map(formatViolation)).toEqual(expected);
  });

  it("checks an enum's symbols by its default", () => {
    const record = (symbols: string[], fallback?: string) =>
      parseRecord(
        JSON.stringify({
          type: "record",
          name: "R",
          fields: [{ name: "e", type: { type: "enum", name: "E", symbols, default: fallback } }],
        }),
      );
    const compare = (today: ReturnType<typeof record>, other: ReturnType<typeof record>) =>
      compareBothWays({ subject: "s", record: today }, other, "v1").map(({ path, rule }) => `${path} ${rule}`);
    expect(compare(record(["A", "B"]), record(["A"]))).toEqual(["R.e MISSING_ENUM_SYMBOLS"]);
    expect(compare(record(["A", "B"], "A"), record(["A"], "A"))).toEqual([]);
  });

  it("is transitive: every released version counts, not the last alone", async () => {
    copy = await copyOfSchemas();
    await release(copy.root);
    await copy.edit("orders/OrderPlaced.avsc", (json) => {
      json.fields = json.fields.filter((field) => field.name !== "paidWithCashbackMinor");
    });
    expect(await release(copy.root)).toEqual(["released/orders/OrderPlaced.2.avsc"]);
    expect(await release(copy.root)).toEqual([]);
    await copy.edit("orders/OrderPlaced.avsc", (json) => json.fields.push({ name: "paidWithCashbackMinor", type: "string", default: "" }));
    const violations = await checkReleased(copy.root);
    expect(violations.map(({ path, message }) => `${path} ${message}`)).toEqual([
      expect.stringMatching(/^OrderPlaced.paidWithCashbackMinor .* released version 1/),
      expect.stringMatching(/^OrderPlaced.paidWithCashbackMinor released version 1/),
    ]);
  });

  it("misses a record type that was released and has gone", async () => {
    copy = await copyOfSchemas();
    await copy.write("topics.json", '{"orders":"orders.v1"}');
    await copy.write("released/orders/OrderHeld.1.avsc", '{"type":"record","name":"OrderHeld","fields":[]}');
    expect((await checkReleased(copy.root)).map(formatViolation)).toEqual([
      "schemas/orders: OrderHeld: SCHEMA_REMOVED: version 1 was released, and there is no schemas/orders/OrderHeld.avsc any more",
    ]);
    expect(await readReleased(copy.root)).toHaveLength(4);
  });
});
