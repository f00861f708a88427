import * as fc from "fast-check";
import { oddValue } from "@perkstream/fuzz";

/** What of JSON Schema the OpenAPI document uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
}

export type Components = Readonly<Record<string, JsonSchema>>;

/** Few, so that requests meet what others have made. */
const words = ["c1", "c2", "o1", "o2", "r1", "l1", "l2", "k1", "k2", "s1", "a", "b", "UTC", "Europe/Berlin", "Zoë 😀/ü", "x".repeat(64)];
const times = [
  "2025-01-31T12:00:00Z",
  "2025-06-01T00:00:00+02:00",
  "1970-01-01T00:00:00Z",
  "2199-12-31T23:59:59.999Z",
  "2020-02-29T12:00:00Z",
];
const MAX_ITEMS = 3;

/** Values of a schema. `knownIds` are UUIDs of things that exist. */
export function valuesOf(schema: JsonSchema, components: Components, knownIds: readonly string[]): fc.Arbitrary<unknown> {
  const of = (inner: JsonSchema): fc.Arbitrary<unknown> => valuesOf(inner, components, knownIds);
  if (schema.$ref !== undefined) return of(resolve(schema.$ref, components));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) return fc.oneof(...either.map(of));
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type: string) => of({ ...schema, type })));
  switch (schema.type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return numbers(schema).map(Math.trunc);
    case "number":
      return numbers(schema);
    case "string":
      return texts(schema, knownIds);
    case "array":
      return fc.array(of(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.max(schema.minItems ?? 0, Math.min(schema.maxItems ?? MAX_ITEMS, MAX_ITEMS)),
      });
    case "object":
      return objects(schema, of);
    default:
      return components["OrderCommand"] === undefined ? oddValue : fc.oneof(of(components["OrderCommand"]), oddValue);
  }
}

function resolve(reference: string, components: Components): JsonSchema {
  const schema = components[reference.slice(reference.lastIndexOf("/") + 1)];
  if (schema === undefined) throw new Error(`the document has no ${reference}`);
  return schema;
}

function objects({ properties = {}, required = [] }: JsonSchema, of: (schema: JsonSchema) => fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  const model = Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, of(inner)]));
  return fc.record(model, { requiredKeys: required.filter((name) => name in model), noNullPrototype: true });
}

function numbers({ minimum, maximum, exclusiveMinimum }: JsonSchema): fc.Arbitrary<number> {
  const least = minimum ?? (exclusiveMinimum === undefined ? -1_000 : exclusiveMinimum + 0.01);
  const most = maximum ?? Number.MAX_SAFE_INTEGER;
  return fc.oneof(
    fc.constantFrom(least, Math.min(most, least + 1), most),
    fc.nat({ max: 5_000 }).map((n) => Math.min(most, least + n)),
  );
}

function texts({ format, pattern, maxLength = 64, minLength = 0 }: JsonSchema, knownIds: readonly string[]): fc.Arbitrary<string> {
  if (format === "uuid") return fc.oneof(fc.constantFrom(...knownIds), fc.uuid());
  if (format === "date-time") return fc.constantFrom(...times);
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  const own = fc.string({ unit: "grapheme", minLength, maxLength: Math.min(maxLength, 20) });
  return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...words) }, { weight: 1, arbitrary: own });
}
