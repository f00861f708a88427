import { insertSet, type Tx } from "@perkstream/postgres";
import type { AppliedStep } from "./program.ts";

/**
 * Stores what was applied outside of events, in this order, before the event at the partition's next offset
 * (docs/programs.md, "What can be recomputed"). The partitions must be locked; `appliedSeq` moves with every row.
 */
export async function saveApplied(
  tx: Tx,
  program: string,
  progress: ReadonlyMap<number, { readonly nextOffset: number; appliedSeq: number }>,
  steps: readonly AppliedStep[],
): Promise<void> {
  await insertSet(
    tx,
    `${program}.applied`,
    { part: "int4", off: "int8", n: "int8", kind: "text", customer: "int8", as_of: "timestamptz", detail: "jsonb" },
    steps.map(({ partition, kind, customer, asOf, detail }) => {
      const row = progress.get(partition);
      if (row === undefined) throw new Error(`a step of partition ${partition}, which this transaction has not locked`);
      row.appliedSeq += 1;
      return { part: partition, off: row.nextOffset, n: row.appliedSeq, kind, customer, as_of: asOf, detail };
    }),
  );
}
