import { customType } from "drizzle-orm/pg-core";
import { parseInt8Array } from "./array-text.ts";

/** `bytea` as Buffer. */
export const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "bytea" });

/** `int8` that stays below 2^53 (ids, offsets), as number. */
export const int8Number = customType<{ data: number; driverData: bigint | string }>({
  dataType: () => "bigint",
  fromDriver: (value) => Number(value),
});

/** `int8` of amounts in minor units, as bigint. */
export const int8Minor = customType<{ data: bigint; driverData: bigint | string }>({
  dataType: () => "bigint",
  fromDriver: (value) => BigInt(value),
});

/** `int8[]` of offsets and counters below 2^53, as numbers. */
export const int8Numbers = customType<{ data: number[]; driverData: string }>({
  dataType: () => "bigint[]",
  toDriver: (values) => `{${values.join(",")}}`,
  fromDriver: (value) => parseInt8Array(value),
});

/** `timestamptz` as ms since 1970. */
export const instant = customType<{ data: number; driverData: string | Date }>({
  dataType: () => "timestamp with time zone",
  toDriver: (ms) => new Date(ms).toISOString(),
  fromDriver: (value) => new Date(value).getTime(),
});
