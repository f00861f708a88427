import * as fc from "fast-check";
import type { FieldSchema, RecordSchema, Schema } from "../schema/model.ts";

/** Any record of a schema in the shape of the generated types, with the extremes of every number. */
export function arbitraryRecord(schema: RecordSchema): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(Object.fromEntries(schema.fields.map((field: FieldSchema) => [field.name, arbitrary(field.schema)])));
}

const int64Max = 2n ** 63n - 1n;
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: int64Max }),
  fc.bigInt({ min: -70_000n, max: 70_000n }),
  fc.constantFrom(0n, -1n, int64Max, -(2n ** 63n), 2n ** 53n, -(2n ** 53n), 2n ** 52n, 2n ** 48n - 1n, 2n ** 48n, -(2n ** 48n) - 1n),
);
const safeInteger = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 52, 2 ** 48),
);
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 70 }),
  fc.string({ unit: "grapheme-ascii", maxLength: 80 }),
  fc.uuid(),
  fc.constantFrom("", "\u0000", "é".repeat(40), "😀", "\ufffd", "x".repeat(9_000)),
);

function arbitrary(schema: Schema): fc.Arbitrary<unknown> {
  switch (schema.kind) {
    case "long":
      return schema.logicalType === "timestamp-millis" ? safeInteger : int64;
    case "int":
      return fc.oneof(fc.integer(), fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31), 63, 64, -64, -65));
    case "string":
      return text;
    case "enum":
      return fc.constantFrom(...schema.symbols);
    case "array":
      return fc.array(arbitrary(schema.items), { maxLength: 90, size: "+1" });
    case "record":
      return arbitraryRecord(schema);
    case "union":
      return fc.oneof(...schema.branches.map(arbitrary));
    case "null":
      return fc.constant(null);
    default:
      throw new Error(`no arbitrary for ${schema.kind}`);
  }
}
