import avro from "avsc";

/** The other Avro implementation, with longs that are exact: timestamps too come as bigint. */
export function avscType(schema: string): avro.Type {
  const long = avro.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer: (value: bigint) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(value);
      return bytes;
    },
    fromJSON: (value: number) => BigInt(value),
    toJSON: Number,
    isValid: (value: unknown) => typeof value === "bigint",
    compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
  });
  return avro.Type.forSchema(JSON.parse(schema), {
    typeHook: (json: unknown) => {
      const isLong = json === "long" || (typeof json === "object" && json !== null && "type" in json && json.type === "long");
      return isLong ? long : undefined;
    },
  });
}

/** A record of ours as avsc wants it: instants are longs like any other. */
export function forAvsc(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(forAvsc);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => name !== "type");
  return Object.fromEntries(entries.map(([name, field]) => [name, name.endsWith("At") && typeof field === "number" ? BigInt(field) : forAvsc(field)]));
}
