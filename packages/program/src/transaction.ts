import { fromSet, type Sql, type Tx } from "@perkstream/postgres";
import { saveApplied } from "./applied.ts";
import type { CrashPoint } from "./crash.ts";
import { saveDeadLetters } from "./dead-letters.ts";
import { DefectError } from "./errors.ts";
import {
  checkFence,
  loadOutbox,
  lockProgress,
  numberNotices,
  saveOutbox,
  saveProgress,
  type OutboxRow,
  type StoredProgress,
} from "./progress.ts";
import type { AppliedStep, DeadLetter, Entry, Outcome, Program, SweepRequest } from "./program.ts";
import { withRemedies } from "./remedy.ts";
import { saveTally, tally } from "./tally.ts";

/** What one transaction handles of one partition: everything from `nextOffset` to `endOffset` (exclusive). */
export interface PartitionChunk<E> {
  readonly partition: number;
  readonly nextOffset: number;
  readonly endOffset: number;
  readonly epoch: number;
  readonly entries: readonly Entry<E>[];
  /** Records that did not decode, or that were given up. */
  readonly deadLetters: readonly DeadLetter[];
}

export interface OwnerKnowledge {
  /** Per partition, the highest outbox number that is in Kafka: those rows are deleted. */
  readonly acknowledged: ReadonlyMap<number, number>;
  /** Per partition, the highest outbox number that the owner has queued: rows above were written by others. */
  readonly queued: ReadonlyMap<number, number>;
}

export interface Committed {
  readonly progress: ReadonlyMap<number, StoredProgress>;
  /** To be published, in this order: first what others wrote, then this transaction's. */
  readonly outbox: readonly OutboxRow[];
  /** Per partition, the highest number in `outbox` or before it; rows above are still to be loaded. */
  readonly queued: ReadonlyMap<number, number>;
  readonly outcomes: readonly Outcome[];
  readonly deadLetters: readonly DeadLetter[];
  readonly applied: readonly AppliedStep[];
  /** Durations in ms by phase. */
  readonly phases: Readonly<Record<"lock" | "load" | "decide" | "save" | "commit", number>>;
  /** A sweep was cut by its limit. */
  readonly more: boolean;
}

const FOREIGN_ROWS_LIMIT = 10_000;

/** The transaction of a chunk, again after each remedy that it asks for (remedy.ts). */
export function commitChunk<E, W>(
  sql: Sql,
  program: Program<E, W>,
  chunks: readonly PartitionChunk<E>[],
  owner: OwnerKnowledge,
  crash?: CrashPoint,
): Promise<Committed> {
  return withRemedies(sql, () => attemptChunk(sql, program, chunks, owner, crash));
}

/**
 * The transaction of a chunk. Either everything is stored, state, de-duplication, dead letters, outbox and
 * progress, or nothing is.
 *
 *   BEGIN ─► lock progress rows ─► fence ─► load ─► decide … ─► save ─► dead letters, tally, outbox, progress ─► COMMIT
 *
 * @throws FenceLostError, DefectError, and errors of the database (see errors.ts)
 */
async function attemptChunk<E, W>(
  sql: Sql,
  program: Program<E, W>,
  chunks: readonly PartitionChunk<E>[],
  owner: OwnerKnowledge,
  crash: CrashPoint = () => {},
): Promise<Committed> {
  const clock = stopwatch();
  let done: { committed: Omit<Committed, "phases">; work: W | undefined } | undefined;
  await sql.begin(async (tx) => {
    const progress = await lockFenced(tx, program, chunks);
    const foreign = await foreignRows(tx, program, progress, owner);
    clock.lap("lock");
    crash("lock");
    const entries = chunks.flatMap((chunk) => chunk.entries);
    const context = { tx, progress };
    const work = entries.length > 0 ? await program.load(context, entries) : undefined;
    clock.lap("load");
    crash("load");
    const decided = work === undefined ? [] : entries.map((entry) => decide(program, work, entry));
    clock.lap("decide");
    crash("decide");
    if (work !== undefined) await program.save(context, work);
    crash("save");
    const before = new Map(chunks.map(({ partition, nextOffset }) => [partition, nextOffset]));
    for (const { partition, endOffset } of chunks) progress.get(partition)!.nextOffset = endOffset;
    const notices = entries.flatMap((entry, i) => decided[i]!.notices.map((notice) => ({ partition: entry.record.partition, notice })));
    const deadLetters = collectDeadLetters(chunks, entries, decided);
    const outbox = numberNotices(progress, notices);
    markPublished(progress, owner);
    await Promise.all([
      saveDeadLetters(tx, scopeOf(program), deadLetters),
      saveTally(
        tx,
        program.name,
        tally(
          chunks.flatMap((chunk) => chunk.deadLetters),
          entries,
          decided,
        ),
      ),
      deleteAcknowledged(tx, program.name, owner.acknowledged, progress),
      saveOutbox(tx, program.name, outbox),
      saveProgress(tx, scopeOf(program), [...progress.values()], before),
    ]);
    clock.lap("save");
    crash("before-commit");
    done = {
      committed: { progress, ...toPublish(progress, foreign, outbox, owner), outcomes: decided, deadLetters, applied: [], more: false },
      work,
    };
  });
  clock.lap("commit");
  crash("commit");
  const { committed, work } = done!;
  if (work !== undefined) program.committed?.(work);
  return { ...committed, phases: clock.laps };
}

/** The transaction of one bounded sweep step; like a chunk, but nothing is read and the offsets stay. */
export async function commitSweep<E, W>(
  sql: Sql,
  program: Program<E, W>,
  chunk: PartitionChunk<E>,
  request: SweepRequest,
  owner: OwnerKnowledge,
  crash: CrashPoint = () => {},
): Promise<Committed> {
  const clock = stopwatch();
  let committed: Omit<Committed, "phases"> | undefined;
  await sql.begin(async (tx) => {
    const progress = await lockFenced(tx, program, [chunk]);
    const foreign = await foreignRows(tx, program, progress, owner);
    clock.lap("lock");
    const swept = (await program.sweep?.({ tx, progress }, request)) ?? { notices: [], applied: [], more: false };
    const outbox = numberNotices(progress, swept.notices);
    markPublished(progress, owner);
    await Promise.all([
      saveApplied(tx, program.name, progress, swept.applied),
      deleteAcknowledged(tx, program.name, owner.acknowledged, progress),
      saveOutbox(tx, program.name, outbox),
      saveProgress(tx, scopeOf(program), [...progress.values()], new Map([[chunk.partition, chunk.nextOffset]])),
    ]);
    clock.lap("save");
    crash("sweep");
    committed = {
      progress,
      ...toPublish(progress, foreign, outbox, owner),
      outcomes: [],
      deadLetters: [],
      applied: swept.applied,
      more: swept.more,
    };
  });
  clock.lap("commit");
  crash("sweep-commit");
  return { ...committed!, phases: clock.laps };
}

async function lockFenced<E, W>(
  tx: Tx,
  program: Program<E, W>,
  chunks: readonly PartitionChunk<E>[],
): Promise<Map<number, StoredProgress>> {
  const progress = await lockProgress(
    tx,
    scopeOf(program),
    chunks.map((chunk) => chunk.partition),
  );
  checkFence(progress, chunks);
  return progress;
}

function scopeOf<E, W>(program: Program<E, W>): { program: string; topic: string } {
  return { program: program.name, topic: program.topic };
}

function decide<E, W>(program: Program<E, W>, work: W, entry: Entry<E>): Outcome {
  try {
    return program.decide(work, entry);
  } catch (error) {
    throw new DefectError(entry.record.partition, entry.record.offset, error);
  }
}

async function foreignRows<E, W>(
  tx: Tx,
  program: Program<E, W>,
  progress: ReadonlyMap<number, StoredProgress>,
  owner: OwnerKnowledge,
): Promise<OutboxRow[]> {
  const behind = new Map<number, number>();
  for (const [partition, row] of progress) {
    const queued = owner.queued.get(partition) ?? row.outSeq;
    if (row.outSeq > queued) behind.set(partition, queued);
  }
  return loadOutbox(tx, program.name, behind, FOREIGN_ROWS_LIMIT);
}

/** Own rows follow those of others. Where those were cut by their limit, the own ones are loaded later, from the outbox. */
function toPublish(
  progress: ReadonlyMap<number, StoredProgress>,
  foreign: readonly OutboxRow[],
  own: readonly OutboxRow[],
  owner: OwnerKnowledge,
): Pick<Committed, "outbox" | "queued"> {
  if (foreign.length < FOREIGN_ROWS_LIMIT) {
    return { outbox: [...foreign, ...own], queued: new Map([...progress].map(([partition, row]) => [partition, row.outSeq])) };
  }
  const queued = new Map(owner.queued);
  for (const row of foreign) queued.set(row.partition, row.seq);
  return { outbox: foreign, queued };
}

function collectDeadLetters<E>(
  chunks: readonly PartitionChunk<E>[],
  entries: readonly Entry<E>[],
  outcomes: readonly Outcome[],
): DeadLetter[] {
  const all = chunks.flatMap((chunk) => chunk.deadLetters);
  for (const [i, outcome] of outcomes.entries()) {
    const { record, scope } = entries[i]!;
    if (typeof outcome.result === "object") all.push({ record, scope, ...outcome.result.rejected });
    if (outcome.deadLetters !== undefined) all.push(...outcome.deadLetters);
  }
  return all;
}

function markPublished(progress: ReadonlyMap<number, StoredProgress>, owner: OwnerKnowledge): void {
  for (const [partition, row] of progress) row.published = Math.max(row.published, owner.acknowledged.get(partition) ?? 0);
}

async function deleteAcknowledged(
  tx: Tx,
  program: string,
  acknowledged: ReadonlyMap<number, number>,
  partitions: ReadonlyMap<number, StoredProgress>,
): Promise<void> {
  const rows = [...acknowledged].filter(([part]) => partitions.has(part)).map(([part, seq]) => ({ part, seq }));
  if (rows.length === 0) return;
  const set = fromSet({ part: "int4", seq: "int8" } as const, rows);
  await tx.unsafe(`DELETE FROM ${program}.outbox o USING ${set.text} r WHERE o.part = r.part AND o.seq <= r.seq`, set.params, {
    prepare: true,
  });
}

/** Stores what Kafka has acknowledged, when no chunk comes along to do it. */
export async function commitAcknowledged(
  sql: Sql,
  program: { name: string; topic: string },
  epochs: ReadonlyMap<number, number>,
  acknowledged: ReadonlyMap<number, number>,
): Promise<void> {
  const rows = [...acknowledged].map(([part, seq]) => ({ part, seq, epoch: epochs.get(part) ?? -1 }));
  if (rows.length === 0) return;
  const set = fromSet({ part: "int4", seq: "int8", epoch: "int8" } as const, rows);
  await sql.unsafe(
    `WITH locked AS (SELECT p.part FROM ${program.name}.progress p JOIN ${set.text} r ON p.part = r.part AND p.epoch = r.epoch
         WHERE p.topic = $${set.params.length + 1} ORDER BY p.part FOR UPDATE OF p),
       gone AS (DELETE FROM ${program.name}.outbox o USING ${set.text} r, locked l WHERE l.part = r.part AND o.part = r.part AND o.seq <= r.seq)
     UPDATE ${program.name}.progress p SET published = greatest(p.published, r.seq) FROM ${set.text} r, locked l
       WHERE l.part = r.part AND p.part = r.part AND p.topic = $${set.params.length + 1}`,
    [...set.params, program.topic],
    { prepare: true },
  );
}

function stopwatch() {
  const laps = { lock: 0, load: 0, decide: 0, save: 0, commit: 0 };
  let last = performance.now();
  return {
    laps,
    lap(phase: keyof typeof laps) {
      const now = performance.now();
      laps[phase] += now - last;
      last = now;
    },
  };
}
