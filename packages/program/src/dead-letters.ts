import { insertSet, type Tx } from "@perkstream/postgres";
import type { DeadLetter } from "./program.ts";
import type { ProgramScope } from "./progress.ts";

/** A stored record, as far as its topic had it. */
export interface RecordColumns {
  readonly part: number;
  readonly off: bigint;
  readonly record_at: Date;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** {name: base64} */
  readonly headers: Readonly<Record<string, string>>;
}

/** The record's headers as they were. */
export function headersOf({ headers }: RecordColumns): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value, "base64")]));
}

/** Stores records that were not applied, with their original bytes and coordinates. */
export async function saveDeadLetters(tx: Tx, { program, topic }: ProgramScope, deadLetters: readonly DeadLetter[]): Promise<void> {
  await insertSet(
    tx,
    `${program}.dead_letter`,
    {
      topic: "text",
      part: "int4",
      off: "int8",
      record_at: "timestamptz",
      key: "bytea",
      value: "bytea",
      headers: "jsonb",
      scope: "uuid",
      reason: "text",
      message: "text",
    },
    deadLetters.map(({ record, scope, reason, message }) => ({
      topic,
      part: record.partition,
      off: record.offset,
      record_at: storableInstant(record.timestamp),
      key: record.key,
      value: record.value,
      headers: Object.fromEntries(
        Object.entries(record.headers).map(([name, value]) => [name.replaceAll("\0", "\u{fffd}"), value.toString("base64")]),
      ),
      scope,
      reason,
      message: message.replaceAll("\0", "\u{fffd}").slice(0, 2_000),
    })),
  );
}

/** A producer may write any 64-bit timestamp; a Date ends in the year 275760. */
export function storableInstant(ms: number): number {
  return Math.min(Math.max(ms, -62_135_596_800_000), 253_402_300_799_999);
}
