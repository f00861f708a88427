import { topics } from "@perkstream/contracts";
import { type CommandContext, inPartitions, readProgress, wakeChannel } from "@perkstream/program";
import { fromSet, type Sql, type Tx } from "@perkstream/postgres";

/* The host tables of a program over orders.v1, whichever it is. Which ones there are is said in composition.ts. */

/** The programs that the API cannot do without; the order is that of locks. */
export const corePrograms = ["tier", "cashback"] as const;

export const scopeOf = (program: string) => ({ program, topic: topics.orders });

export interface Counts {
  readonly events: number;
  readonly duplicates: number;
  readonly parked: number;
}

/** What a program counted of a merchant's events, stored in its transactions. */
export async function readCounts(sql: Sql, program: string, merchantId: string): Promise<Counts> {
  const [row] = await sql<{ events: bigint; duplicates: bigint; parked: bigint }[]>`
    SELECT coalesce(sum(events), 0)::int8 AS events, coalesce(sum(duplicates), 0)::int8 AS duplicates, coalesce(sum(parked), 0)::int8 AS parked
    FROM ${sql(program)}.tally WHERE scope = ${merchantId}::uuid`;
  return { events: Number(row?.events ?? 0n), duplicates: Number(row?.duplicates ?? 0n), parked: Number(row?.parked ?? 0n) };
}

/** Next offset and outbox numbers of a program, per partition; without a lock, for waiting only. */
export async function readPositions(
  sql: Sql,
  program: string,
): Promise<{ partition: number; nextOffset: number; outSeq: number; published: number }[]> {
  return readProgress(sql, scopeOf(program));
}

/**
 * Asks a program to do what time causes for one merchant, exactly up to `at` (ms), once every partition has been read to
 * `afterOffsets`. The owners of the partitions do it; `sweepIsDone` tells when.
 */
export async function requestSweep(
  sql: Sql,
  program: string,
  request: { readonly id: string; readonly merchantId: string; readonly at: number; readonly afterOffsets: ReadonlyMap<number, number> },
): Promise<void> {
  const rows = [...request.afterOffsets].map(([part, after_off]) => ({ part, after_off }));
  const set = fromSet({ part: "int4", after_off: "int8" } as const, rows, 4);
  await sql.unsafe(
    `INSERT INTO ${program}.sweep_request (id, part, scope, at, after_off) SELECT $1, part, $2, $3::timestamptz, after_off FROM ${set.text}`,
    [request.id, request.merchantId, new Date(request.at).toISOString(), ...set.params],
  );
  await sql`SELECT pg_notify(${wakeChannel(program)}, '')`;
}

/** The partitions in which the sweep is still to be done. */
export async function openSweeps(sql: Sql, program: string, id: string): Promise<number[]> {
  const rows = await sql<
    { part: number }[]
  >`SELECT part FROM ${sql(program)}.sweep_request WHERE id = ${id}::uuid AND NOT done ORDER BY part`;
  return rows.map(({ part }) => part);
}

export async function forgetSweep(sql: Sql, program: string, id: string): Promise<void> {
  await sql`DELETE FROM ${sql(program)}.sweep_request WHERE id = ${id}::uuid`;
}

export const allPartitions = (partitions: number): number[] => Array.from({ length: partitions }, (_, partition) => partition);

/** Locks the progress rows of all partitions of these programs, in their order, within `tx`. */
export async function holding<T>(
  tx: Tx,
  programs: readonly string[],
  partitions: number,
  run: (held: ReadonlyMap<string, CommandContext>) => Promise<T>,
): Promise<T> {
  const held = new Map<string, CommandContext>();
  const hold = (next: number): Promise<T> => {
    const program = programs[next];
    if (program === undefined) return run(held);
    return inPartitions(tx, { ...scopeOf(program), partitions: allPartitions(partitions) }, (context) => {
      held.set(program, context);
      return hold(next + 1);
    });
  };
  return hold(0);
}

/** The next offsets of locked partitions, by partition: from where an edit of this program's rules holds. */
export function nextOffsets(held: CommandContext, partitions: number): number[] {
  return allPartitions(partitions).map((partition) => held.progress.get(partition)?.nextOffset ?? 0);
}

/** The largest next offsets of several programs, by partition: from where an edit holds that concerns all of them. */
export function latestOffsets(held: readonly CommandContext[], partitions: number): number[] {
  const each = held.map((context) => nextOffsets(context, partitions));
  return allPartitions(partitions).map((partition) => Math.max(0, ...each.map((offsets) => offsets[partition] ?? 0)));
}
