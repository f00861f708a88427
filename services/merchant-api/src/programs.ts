import { topics } from "@perkstream/contracts";
import { type CommandContext, inPartitions, readProgress, wakeChannel } from "@perkstream/program";
import { fromSet, type Sql, type Tx } from "@perkstream/postgres";

/** The programs over orders.v1 whose host tables the API reads; the order is that of locks: tier before cashback. */
export const programs = ["tier", "cashback"] as const;
export type ProgramName = (typeof programs)[number];

export const scopeOf = (program: ProgramName) => ({ program, topic: topics.orders });

export interface Counts {
  readonly events: number;
  readonly duplicates: number;
  readonly parked: number;
}

/** What a program counted of a merchant's events, stored in its transactions. */
export async function readCounts(sql: Sql, program: ProgramName, merchantId: string): Promise<Counts> {
  const [row] = await sql<{ events: bigint; duplicates: bigint; parked: bigint }[]>`
    SELECT coalesce(sum(events), 0)::int8 AS events, coalesce(sum(duplicates), 0)::int8 AS duplicates, coalesce(sum(parked), 0)::int8 AS parked
    FROM ${sql(program)}.tally WHERE scope = ${merchantId}::uuid`;
  return { events: Number(row?.events ?? 0n), duplicates: Number(row?.duplicates ?? 0n), parked: Number(row?.parked ?? 0n) };
}

/** Next offset and outbox numbers of a program, per partition; without a lock, for waiting only. */
export async function readPositions(
  sql: Sql,
  program: ProgramName,
): Promise<{ partition: number; nextOffset: number; outSeq: number; published: number }[]> {
  return readProgress(sql, scopeOf(program));
}

/**
 * Asks a program to do what time causes for one merchant, exactly up to `at` (ms), once every partition has been read to
 * `afterOffsets`. The owners of the partitions do it; `sweepIsDone` tells when.
 */
export async function requestSweep(
  sql: Sql,
  program: ProgramName,
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
export async function openSweeps(sql: Sql, program: ProgramName, id: string): Promise<number[]> {
  const rows = await sql<
    { part: number }[]
  >`SELECT part FROM ${sql(program)}.sweep_request WHERE id = ${id}::uuid AND NOT done ORDER BY part`;
  return rows.map(({ part }) => part);
}

export async function forgetSweep(sql: Sql, program: ProgramName, id: string): Promise<void> {
  await sql`DELETE FROM ${sql(program)}.sweep_request WHERE id = ${id}::uuid`;
}

export const allPartitions = (partitions: number): number[] => Array.from({ length: partitions }, (_, partition) => partition);

/** Locks the progress rows of all partitions of both programs, tier before cashback, within `tx`. */
export async function holdingBoth<T>(
  tx: Tx,
  partitions: number,
  run: (held: { readonly tier: CommandContext; readonly cashback: CommandContext }) => Promise<T>,
): Promise<T> {
  const all = allPartitions(partitions);
  return inPartitions(tx, { ...scopeOf("tier"), partitions: all }, (tier) =>
    inPartitions(tx, { ...scopeOf("cashback"), partitions: all }, (cashback) => run({ tier, cashback })),
  );
}

/** The next offsets of locked partitions, by partition: from where an edit holds. */
export function nextOffsets(held: CommandContext, partitions: number): number[] {
  return allPartitions(partitions).map((partition) => held.progress.get(partition)?.nextOffset ?? 0);
}
