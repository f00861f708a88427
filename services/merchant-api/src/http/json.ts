declare global {
  interface JSON {
    /** ES2026; Node has it since 21. */
    rawJSON(text: string): unknown;
  }
}

/** JSON with amounts (`bigint`) as exact integers of any size. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? JSON.rawJSON(inner.toString()) : inner));
}

/** Text of a value that does not depend on the order of its keys: equal contents have equal text. */
export function canonicalJson(value: unknown): string {
  return toJson(sortKeys(value));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return entries.map(([key, inner]) => [key, sortKeys(inner)]);
}
