import type { Sql } from "@perkstream/postgres";
import { classify } from "./errors.ts";
import { ensureProgress } from "./progress.ts";
import type { AppliedStep, DeadLetter, Entry, Notice, Outcome, Program, SourceRecord } from "./program.ts";
import { commitChunk, commitSweep, type Committed, type PartitionChunk } from "./transaction.ts";

/** A record for the driver; what is left out: partition 0, no headers. */
export interface DrivenRecord {
  readonly partition?: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer>>;
}

export interface Driver {
  /** Handles records as one chunk (or as chunks of `chunkSize`), in order. */
  feed(records: readonly DrivenRecord[], chunkSize?: number): Promise<void>;
  /** Sweeps every partition up to `at` until nothing is due; only `scope` if given. `backlog`: as if records waited. */
  sweep(at: number, scope?: string | null, backlog?: boolean): Promise<void>;
  readonly notices: readonly Notice[];
  readonly outcomes: readonly Outcome[];
  readonly deadLetters: readonly DeadLetter[];
  readonly applied: readonly AppliedStep[];
  /** Offsets the next record of a partition gets. */
  nextOffset(partition: number): number;
}

/**
 * Runs a program over a list of records against a real database, without a broker: the same decode, load, decide,
 * save and transaction as the host's. For tests of programs, and for whoever re-reads a log. `owned` are the partitions that it
 * takes over, if not all.
 */
export async function createDriver<E, W>(
  program: Program<E, W>,
  sql: Sql,
  partitions: number,
  owned: readonly number[] = Array.from({ length: partitions }, (_, partition) => partition),
): Promise<Driver> {
  const epoch = 1 + Math.floor(Math.random() * 2 ** 40);
  await ensureProgress(sql, { program: program.name, topic: program.topic }, partitions);
  const next = await takeOver(sql, program, owned, epoch);
  const notices: Notice[] = [];
  const outcomes: Outcome[] = [];
  const deadLetters: DeadLetter[] = [];
  const applied: AppliedStep[] = [];
  const nothingKnown = { acknowledged: new Map<number, number>(), queued: new Map<number, number>() };
  const note = (committed: Committed) => {
    notices.push(...committed.outbox.map((row) => row.notice));
    outcomes.push(...committed.outcomes);
    deadLetters.push(...committed.deadLetters);
    applied.push(...committed.applied);
  };

  return {
    notices,
    outcomes,
    deadLetters,
    applied,
    nextOffset: (partition) => next.get(partition) ?? 0,
    async feed(records, chunkSize = Math.max(1, records.length)) {
      for (let from = 0; from < records.length; from += chunkSize) {
        const placed = records.slice(from, from + chunkSize).map((record) => place(record, next));
        await program.prepare?.(placed);
        const chunks = chunksOf(program, placed, epoch, next);
        note(await repeating(() => commitChunk(sql, program, chunks, nothingKnown)));
      }
    },
    async sweep(at, scope = null, backlog = false) {
      for (const partition of next.keys()) {
        const offset = next.get(partition)!;
        const chunk = { partition, nextOffset: offset, endOffset: offset, epoch, entries: [], deadLetters: [] };
        const request = { partition, until: at, backlog, scope, limit: 500 };
        for (let more = true; more;) {
          const committed = await commitSweep(sql, program, chunk, request, nothingKnown);
          note(committed);
          more = committed.more;
        }
      }
    },
  };
}

/** As the host does: a transaction that lost against another one, or against what it did not know, is begun again. */
async function repeating<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 5; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0 || classify(error) !== "repeat") throw error;
    }
  }
}

async function takeOver<E, W>(sql: Sql, program: Program<E, W>, owned: readonly number[], epoch: number): Promise<Map<number, number>> {
  const rows = await sql.unsafe<{ part: number; next_off: bigint }[]>(
    `UPDATE ${program.name}.progress SET epoch = $1 WHERE topic = $2 AND part = ANY($3::int4[]) RETURNING part, next_off`,
    [epoch, program.topic, `{${owned.join(",")}}`],
  );
  return new Map(rows.map((row) => [row.part, Number(row.next_off)]));
}

function place(record: DrivenRecord, next: Map<number, number>): SourceRecord {
  const partition = record.partition ?? 0;
  const offset = next.get(partition) ?? 0;
  next.set(partition, offset + 1);
  return { partition, offset, timestamp: record.timestamp, key: record.key, value: record.value, headers: record.headers ?? {} };
}

function chunksOf<E, W>(
  program: Program<E, W>,
  records: readonly SourceRecord[],
  epoch: number,
  next: ReadonlyMap<number, number>,
): PartitionChunk<E>[] {
  const byPartition = Map.groupBy(records, (record) => record.partition);
  return [...byPartition].map(([partition, list]) => {
    const { entries, deadLetters } = decodeAll(program, list);
    return { partition, nextOffset: list[0]!.offset, endOffset: next.get(partition)!, epoch, entries, deadLetters };
  });
}

/** Decodes records; those that do not decode are dead letters. */
function decodeAll<E, W>(program: Program<E, W>, records: readonly SourceRecord[]): { entries: Entry<E>[]; deadLetters: DeadLetter[] } {
  const entries: Entry<E>[] = [];
  const deadLetters: DeadLetter[] = [];
  for (const record of records) {
    const decoded = program.decode(record);
    if ("event" in decoded) entries.push({ record, scope: decoded.scope, event: decoded.event });
    else deadLetters.push({ record, scope: decoded.scope, ...decoded.rejected });
  }
  return { entries, deadLetters };
}
