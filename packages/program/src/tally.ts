import { insertSet, type Tx } from "@perkstream/postgres";
import { storableInstant } from "./dead-letters.ts";
import type { DeadLetter, Entry, Outcome } from "./program.ts";

/** What a transaction adds to the counters of a partition and scope; times in ms. */
export interface TallyRow {
  readonly part: number;
  readonly scope: string;
  events: number;
  duplicates: number;
  parked: number;
  high_at: number;
}

/** Counts records by partition and scope, sorted by key: two transactions never wait in a circle. `unread` did not decode or were given up. */
export function tally<E>(unread: readonly DeadLetter[], entries: readonly Entry<E>[], outcomes: readonly Outcome[]): TallyRow[] {
  const rows = new Map<string, TallyRow>();
  const rowOf = (part: number, scope: string, timestamp: number): TallyRow => {
    const key = `${part} ${scope}`;
    let row = rows.get(key);
    if (row === undefined) rows.set(key, (row = { part, scope, events: 0, duplicates: 0, parked: 0, high_at: timestamp }));
    row.high_at = Math.max(row.high_at, timestamp);
    row.events += 1;
    return row;
  };
  for (const [i, { record, scope }] of entries.entries()) {
    if (scope === null) continue;
    const row = rowOf(record.partition, scope, storableInstant(record.timestamp));
    const outcome = outcomes[i]!;
    if (outcome.result === "duplicate") row.duplicates += 1;
    if (outcome.result === "parked") row.parked += 1;
    row.parked -= outcome.unparked ?? 0;
    row.duplicates += outcome.duplicates ?? 0;
  }
  for (const { record, scope } of unread) {
    if (scope !== null) rowOf(record.partition, scope, storableInstant(record.timestamp));
  }
  return [...rows.values()].sort((a, b) => a.part - b.part || (a.scope < b.scope ? -1 : 1));
}

/** Adds to the stored counters. */
export async function saveTally(tx: Tx, program: string, rows: readonly TallyRow[]): Promise<void> {
  await insertSet(
    tx,
    `${program}.tally AS t`,
    { part: "int4", scope: "uuid", events: "int8", duplicates: "int8", parked: "int8", high_at: "timestamptz" },
    rows.map((row) => ({ ...row })),
    `ON CONFLICT (part, scope) DO UPDATE SET events = t.events + excluded.events, duplicates = t.duplicates + excluded.duplicates,
       parked = t.parked + excluded.parked, high_at = greatest(t.high_at, excluded.high_at)`,
  );
}
