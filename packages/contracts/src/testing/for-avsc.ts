/** A record of ours as avsc wants it: instants are longs like any other. */
export function forAvsc(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(forAvsc);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => name !== "type");
  return Object.fromEntries(
    entries.map(([name, field]) => [name, name.endsWith("At") && typeof field === "number" ? BigInt(field) : forAvsc(field)]),
  );
}
