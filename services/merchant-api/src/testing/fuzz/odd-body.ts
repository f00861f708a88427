import * as fc from "fast-check";
import { oddText, oddValue } from "@perkstream/fuzz";
import { limits } from "../../http/limits.ts";

/** The value with one to three places replaced, left out or added to. */
function changedValue(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const change = fc.record({
    at: fc.nat({ max: 1_000 }),
    what: fc.constantFrom("replace", "replace", "replace", "remove", "add"),
    name: fc.oneof(fc.constantFrom("__proto__", "id", "constructor", "extra"), oddText),
    value: oddValue,
  });
  return fc.tuple(values, fc.array(change, { minLength: 1, maxLength: 3 })).map(([value, changes]) => {
    const copy: unknown = structuredClone(value);
    for (const { at, what, name, value: given } of changes) {
      const put: unknown = structuredClone(given); // the same one may be put into itself
      const places = placesOf(copy);
      const place = places[at % Math.max(1, places.length)];
      if (place === undefined) return put;
      // Not set: `__proto__` is to be a field like any other.
      if (what === "add") Object.defineProperty(place.within, name, { value: put, enumerable: true, configurable: true, writable: true });
      else if (what === "remove") Reflect.deleteProperty(place.within, place.key);
      else Reflect.set(place.within, place.key, put);
    }
    return copy;
  });
}

function placesOf(value: unknown): { within: object; key: string }[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => [{ within: value, key }, ...placesOf(inner)]);
}

/** JSON text that is not quite: cut, with a key twice, numbers and texts of every form, not UTF-8, nested without end. */
const broken: readonly ((text: string, at: number) => string | Buffer)[] = [
  (text, at) => text.slice(0, at % (text.length + 1)),
  (text) => text.replace("{", '{"customerId":"twice","customerId":{},'),
  (text) => text.replace("}", ",}"),
  (text) => `\ufeff${text}`,
  (text) => `${text}\u0000`,
  (text) => `${text}${text}`,
  (text) => text.replace(/:\s*(?:"[^"]*"|[-\d.]+)/, ":1e400"),
  (text) => text.replace(/:\s*(?:"[^"]*"|[-\d.]+)/, `:${"9".repeat(400)}`),
  (text) => text.replace(/:\s*(?:"[^"]*"|[-\d.]+)/, ":-0"),
  (text) => text.replace(/:\s*(?:"[^"]*"|[-\d.]+)/, String.raw`:"\ud800\u0000"`),
  (text) => text.replace(/:\s*(?:"[^"]*"|[-\d.]+)/, `:${"[".repeat(5_000)}${"]".repeat(5_000)}`),
  () => "[".repeat(100_000),
  () => `{"a":`.repeat(50_000),
  (text, at) => {
    const bytes = Buffer.from(text);
    if (bytes.length > 0) bytes[at % bytes.length] = 0xff;
    return bytes;
  },
  (text) => Buffer.from(text, "utf16le"),
  () => "",
  () => "NaN",
];

/** One in some hundred is as large as a body may be, or larger. */
const sizes = [limits.bodyBytes - 2, limits.bodyBytes - 1, limits.bodyBytes, 2 * limits.bodyBytes];

/** The bytes of a body: of such values, of changed ones, of anything, and of what is no JSON. */
export function bodies(values: fc.Arbitrary<unknown>): fc.Arbitrary<Buffer> {
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value) ?? "null");
  return fc.oneof(
    { weight: 60, arbitrary: values.map(json) },
    { weight: 100, arbitrary: changedValue(values).map(json) },
    {
      weight: 40,
      arbitrary: fc
        .tuple(values, fc.constantFrom(...broken), fc.nat())
        .map(([value, change, at]) => Buffer.from(change(String(json(value)), at))),
    },
    { weight: 20, arbitrary: oddValue.map(json) },
    { weight: 1, arbitrary: fc.constantFrom(...sizes).map((size) => Buffer.from(`"${"x".repeat(size)}"`)) },
  );
}
