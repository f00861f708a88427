import { type CommandContext, inPartitions, type Program, redrive, type RedriveResult, type SourceRecord } from "@perkstream/program";
import type { Tx } from "@perkstream/postgres";
import { OutageError } from "./errors.ts";
import { corePrograms, scopeOf } from "./programs.ts";

const joined: ReadonlySet<string> = new Set(corePrograms);

/** A program over orders.v1, as far as its dead letters are read once more. */
export interface Redriver {
  readonly program: string;
  prepare(record: SourceRecord): Promise<void>;
  redrive(context: CommandContext, record: SourceRecord, id: string): Promise<RedriveResult | null>;
}

export function redriverOf<E, W>(program: Program<E, W>): Redriver {
  return {
    program: program.name,
    prepare: async (record) => program.prepare?.([record]),
    redrive: (context, record, id) => redrive(context, program, record, id),
  };
}

/**
 * Reads a record once more in each of these programs, in their order, that has a dead letter of it: tier before cashback, which
 * takes the level before the order from it. Under the locks of all of them.
 *
 * @throws OutageError while tier or cashback has not come to the record by itself: the level would not be that of its place.
 *   Another program that has not has no dead letter of it.
 */
export async function redriveRecord(tx: Tx, redrivers: readonly Redriver[], record: SourceRecord, id: string): Promise<void> {
  const { partition, offset } = record;
  const held: CommandContext[] = [];
  const hold = (next: number): Promise<void> => {
    const redriver = redrivers[next];
    if (redriver === undefined) return run();
    return inPartitions(tx, { ...scopeOf(redriver.program), partitions: [partition] }, (context) => {
      const isBehind = context.progress.get(partition)!.nextOffset <= offset;
      if (isBehind && joined.has(redriver.program)) throw new OutageError(`${redriver.program} has not read the record yet`);
      held.push(context);
      return hold(next + 1);
    });
  };
  const run = async () => {
    for (const [i, redriver] of redrivers.entries()) await redriver.redrive(held[i]!, record, id);
  };
  await hold(0);
}
