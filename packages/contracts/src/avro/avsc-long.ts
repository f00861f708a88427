import avro from "avsc";

/** avsc's own longs are numbers and refuse what lies beyond 2^53. */
// oxlint-disable-next-line no-underscore-dangle -- avsc's documented name
const bigintLong = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: (value: number | string) => BigInt(value),
  toJSON: Number,
  isValid: (value: unknown) => typeof value === "bigint" && BigInt.asIntN(64, value) === value,
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

/** An avsc type whose longs are exact bigints, those with a logical type too. Throws for text that is no schema. */
export function exactType(schema: string): avro.Type {
  return avro.Type.forSchema(JSON.parse(schema), { typeHook: (json: unknown) => (isLong(json) ? bigintLong : undefined) });
}

function isLong(json: unknown): boolean {
  return json === "long" || (typeof json === "object" && json !== null && "type" in json && json.type === "long");
}
