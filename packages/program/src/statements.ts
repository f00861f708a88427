import { arrayLiteral, fromSet, type Sql } from "@perkstream/postgres";
import { lockProgress, type StoredProgress } from "./progress.ts";

/** Writes a fresh epoch into the progress rows and reads them: from now on every earlier owner is fenced. */
export async function takeOver(
  sql: Sql,
  program: { name: string; topic: string },
  epochs: ReadonlyMap<number, number>,
): Promise<Map<number, StoredProgress>> {
  const scope = { program: program.name, topic: program.topic };
  const partitions = [...epochs.keys()].sort((a, b) => a - b);
  const rows = await sql.begin(async (tx) => {
    const stored = await lockProgress(tx, scope, partitions);
    await tx.unsafe(
      `UPDATE ${program.name}.progress p SET epoch = r.epoch FROM unnest($2::int4[], $3::int8[]) r(part, epoch) WHERE p.topic = $1 AND p.part = r.part`,
      [program.topic, `{${partitions.join(",")}}`, `{${partitions.map((partition) => epochs.get(partition)!).join(",")}}`],
      { prepare: true },
    );
    return stored;
  });
  for (const [partition, row] of rows) row.epoch = epochs.get(partition)!;
  return rows;
}

/** Moves the progress over a gap that somebody has accepted. */
export async function acceptGap(
  sql: Sql,
  program: { name: string; topic: string },
  partition: number,
  epoch: number,
  offset: number,
): Promise<void> {
  await sql.unsafe(`UPDATE ${program.name}.progress SET next_off = $4 WHERE topic = $1 AND part = $2 AND epoch = $3`, [
    program.topic,
    partition,
    epoch,
    offset,
  ]);
}

/** Counts a failure of an event; resolves to how often it has failed in all. */
export async function recordFailure(
  sql: Sql,
  program: { name: string; topic: string },
  partition: number,
  epoch: number,
  offset: number,
): Promise<number> {
  const [row] = await sql.unsafe<{ failures: number }[]>(
    `UPDATE ${program.name}.progress SET failures = CASE WHEN failed_off = $4::int8 THEN failures + 1 ELSE 1 END, failed_off = $4
     WHERE topic = $1 AND part = $2 AND epoch = $3 RETURNING failures`,
    [program.topic, partition, epoch, offset],
  );
  return row?.failures ?? 0;
}

export interface StoredSweepRequest {
  readonly id: string;
  readonly scope: string;
  readonly at: number;
  /** Partitions that have come to where the sweep is to be done. */
  readonly ready: readonly number[];
  /** Some must read on first. */
  readonly isBehind: boolean;
}

/** The sweeps that were asked for in these partitions, by the time they go to. */
export async function openSweepRequests(
  sql: Sql,
  program: string,
  nextOffsets: readonly { readonly part: number; readonly off: number }[],
): Promise<StoredSweepRequest[]> {
  const set = fromSet({ part: "int4", off: "int8" } as const, nextOffsets);
  const rows = await sql.unsafe<{ part: number; id: string; scope: string; at: Date; ready: boolean }[]>(
    `SELECT s.part, s.id, s.scope, s.at, s.after_off <= r.off AS ready FROM ${set.text} AS r
       JOIN ${program}.sweep_request s ON s.part = r.part AND NOT s.done ORDER BY s.at, s.id`,
    set.params,
    { prepare: true },
  );
  return [...Map.groupBy(rows, ({ id }) => id).values()].map((parts) => {
    const { id, scope, at } = parts[0]!;
    const ready = parts.filter((row) => row.ready).map(({ part }) => part);
    return { id, scope, at: at.getTime(), ready, isBehind: ready.length < parts.length };
  });
}

export async function sweepRequestDone(sql: Sql, program: string, id: string, partitions: readonly number[]): Promise<void> {
  const parts = arrayLiteral(partitions);
  await sql.unsafe(`UPDATE ${program}.sweep_request SET done = true WHERE id = $1 AND part = ANY($2::int4[])`, [id, parts], {
    prepare: true,
  });
}
