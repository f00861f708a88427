import { fromSet, parseInt8Array, type Sql, type Tx } from "@perkstream/postgres";
import { saveApplied } from "./applied.ts";
import { FenceLostError } from "./errors.ts";
import type { AppliedStep, ChunkContext, Notice, PartitionProgress } from "./program.ts";

/** Which rows a transaction is about. */
export interface ProgramScope {
  /** The program's name, which is its schema. */
  readonly program: string;
  readonly topic: string;
}

/** A progress row as it is stored. */
export interface StoredProgress extends PartitionProgress {
  nextOffset: number;
  epoch: number;
  outSeq: number;
  published: number;
  appliedSeq: number;
  failedOffset: number | null;
  failures: number;
}

/** What a transaction is sure to find, or it has lost the partition. */
export interface Expected {
  readonly partition: number;
  readonly nextOffset: number;
  readonly epoch: number;
}

interface ProgressRow {
  part: number;
  next_off: bigint;
  epoch: bigint;
  out_seq: bigint;
  published: bigint;
  applied_seq: bigint;
  counters: string;
  failed_off: bigint | null;
  failures: number;
}

const COLUMNS = "part, next_off, epoch, out_seq, published, applied_seq, counters, failed_off, failures";

function fromRow(row: ProgressRow): StoredProgress {
  return {
    partition: row.part,
    nextOffset: Number(row.next_off),
    epoch: Number(row.epoch),
    outSeq: Number(row.out_seq),
    published: Number(row.published),
    appliedSeq: Number(row.applied_seq),
    counters: parseInt8Array(row.counters),
    failedOffset: row.failed_off === null ? null : Number(row.failed_off),
    failures: row.failures,
  };
}

/** Makes the progress rows that are missing, so that they exist before anybody locks them. */
export async function ensureProgress(sql: Sql, scope: ProgramScope, partitions: number): Promise<void> {
  await sql.unsafe(
    `INSERT INTO ${scope.program}.progress (topic, part) SELECT $1, p FROM generate_series(0, $2::int - 1) p ON CONFLICT DO NOTHING`,
    [scope.topic, partitions],
  );
}

/** Reads progress without a lock: for displays and for waiting, never for deciding. */
export async function readProgress(sql: Sql | Tx, scope: ProgramScope): Promise<StoredProgress[]> {
  const rows = await sql.unsafe<ProgressRow[]>(
    `SELECT ${COLUMNS} FROM ${scope.program}.progress WHERE topic = $1 ORDER BY part`,
    [scope.topic],
    {
      prepare: true,
    },
  );
  return rows.map(fromRow);
}

/**
 * Locks the progress rows of these partitions, in their order. What the lock guards must be read by later statements
 * of the same transaction (READ COMMITTED), never before it.
 */
export async function lockProgress(tx: Tx, scope: ProgramScope, partitions: readonly number[]): Promise<Map<number, StoredProgress>> {
  const rows = await tx.unsafe<ProgressRow[]>(
    `SELECT ${COLUMNS} FROM ${scope.program}.progress WHERE topic = $1 AND part = ANY($2::int4[]) ORDER BY part FOR UPDATE`,
    [scope.topic, `{${partitions.join(",")}}`],
    { prepare: true },
  );
  if (rows.length !== partitions.length)
    throw new Error(`progress rows of ${scope.program} are missing: run the migrations and ensureProgress`);
  return new Map(rows.map((row) => [row.part, fromRow(row)]));
}

/** The fence: fails unless every row is just as this owner left it. The lock keeps it so until COMMIT. */
export function checkFence(stored: ReadonlyMap<number, StoredProgress>, expected: readonly Expected[]): void {
  const lost = expected.filter(({ partition, nextOffset, epoch }) => {
    const row = stored.get(partition);
    return row === undefined || row.nextOffset !== nextOffset || row.epoch !== epoch;
  });
  if (lost.length > 0) throw new FenceLostError(lost.map(({ partition }) => partition));
}

/** Writes locked progress rows back. The condition repeats the fence, so that even a mistake in the caller cannot move a stranger's row. */
export async function saveProgress(
  tx: Tx,
  scope: ProgramScope,
  rows: readonly StoredProgress[],
  before: ReadonlyMap<number, number>,
): Promise<void> {
  const set = fromSet(
    {
      part: "int4",
      next_off: "int8",
      epoch: "int8",
      out_seq: "int8",
      published: "int8",
      applied_seq: "int8",
      counters: "int8[]",
      was_off: "int8",
    } as const,
    rows.map((row) => ({
      part: row.partition,
      next_off: row.nextOffset,
      epoch: row.epoch,
      out_seq: row.outSeq,
      published: row.published,
      applied_seq: row.appliedSeq,
      counters: row.counters,
      was_off: before.get(row.partition) ?? -1,
    })),
    2,
  );
  const result = await tx.unsafe(
    `UPDATE ${scope.program}.progress p SET next_off = r.next_off, out_seq = r.out_seq, published = greatest(p.published, r.published),
       applied_seq = r.applied_seq, counters = r.counters, failed_off = CASE WHEN p.failed_off < r.next_off THEN NULL ELSE p.failed_off END
     FROM ${set.text} r WHERE p.topic = $1 AND p.part = r.part AND p.next_off = r.was_off AND p.epoch = r.epoch`,
    [scope.topic, ...set.params],
    { prepare: true },
  );
  if (result.count !== rows.length) throw new FenceLostError(rows.map((row) => row.partition));
}

/** Notices of one partition, to be numbered. */
export interface PartitionNotice {
  readonly partition: number;
  readonly notice: Notice;
}

/** One row of the outbox. */
export interface OutboxRow {
  readonly partition: number;
  readonly seq: number;
  readonly epoch: number;
  readonly notice: Notice;
}

/** Numbers notices from the locked `outSeq`, without a gap. */
export function numberNotices(progress: ReadonlyMap<number, StoredProgress>, notices: readonly PartitionNotice[]): OutboxRow[] {
  return notices.map(({ partition, notice }) => {
    const row = progress.get(partition);
    if (row === undefined) throw new Error(`a notice for partition ${partition}, which this transaction has not locked`);
    row.outSeq += 1;
    return { partition, seq: row.outSeq, epoch: row.epoch, notice };
  });
}

/** Stores outbox rows. */
export async function saveOutbox(tx: Tx, program: string, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  const set = fromSet(
    { part: "int4", seq: "int8", epoch: "int8", id: "uuid", key: "text", value: "bytea" } as const,
    rows.map(({ partition, seq, epoch, notice }) => ({ part: partition, seq, epoch, id: notice.id, key: notice.key, value: notice.value })),
  );
  await tx.unsafe(`INSERT INTO ${program}.outbox (part, seq, epoch, id, key, value) SELECT * FROM ${set.text} r`, set.params, {
    prepare: true,
  });
}

/** Outbox rows above `after` per partition, in the order in which they must be published; at most `limit`. */
export async function loadOutbox(sql: Sql | Tx, program: string, after: ReadonlyMap<number, number>, limit: number): Promise<OutboxRow[]> {
  if (after.size === 0) return [];
  const set = fromSet(
    { part: "int4", seq: "int8" } as const,
    [...after].map(([part, seq]) => ({ part, seq })),
    2,
  );
  const rows = await sql.unsafe<{ part: number; seq: bigint; epoch: bigint; id: string; key: string; value: Buffer }[]>(
    // By partition from its number on: the rows below, deleted and not yet vacuumed, are not passed through.
    `SELECT o.* FROM ${set.text} r JOIN LATERAL (SELECT part, seq, epoch, id, key, value FROM ${program}.outbox
       WHERE part = r.part AND seq > r.seq ORDER BY seq LIMIT $1) o ON true ORDER BY o.part, o.seq LIMIT $1`,
    [limit, ...set.params],
    { prepare: true },
  );
  return rows.map((row) => ({
    partition: row.part,
    seq: Number(row.seq),
    epoch: Number(row.epoch),
    notice: { id: row.id, key: row.key, value: Buffer.from(row.value) },
  }));
}

/** The channel on which a program's owner hears of outbox rows and sweep requests that others wrote. */
export function wakeChannel(program: string): string {
  return `perkstream_${program}`;
}

export interface CommandContext extends ChunkContext {
  /** Puts a notification into the outbox of a locked partition. */
  emit(partition: number, notice: Notice): void;
  /** Stores what was done to a customer, or what holds from here on, in the order of the calls. */
  applied(step: AppliedStep): void;
}

/**
 * A transaction of somebody who does not own the partitions (an API command, a rule edit): locks their progress rows,
 * lets `run` read and write, numbers what it emitted and applied, and tells the owner. The epoch and the next offset stay.
 *
 * @throws with SQLSTATE 55P03 when a lock is not had in time
 */
export async function withPartitions<T>(
  sql: Sql,
  scope: ProgramScope & { readonly partitions: readonly number[] },
  run: (context: CommandContext) => Promise<T>,
): Promise<T> {
  const result = await sql.begin((tx) => inPartitions(tx, scope, run));
  return result as T;
}

/** `withPartitions` inside a transaction that the caller has begun (several programs: tier before cashback). */
export async function inPartitions<T>(
  tx: Tx,
  scope: ProgramScope & { readonly partitions: readonly number[] },
  run: (context: CommandContext) => Promise<T>,
): Promise<T> {
  const progress = await lockProgress(tx, scope, scope.partitions);
  const before = new Map([...progress].map(([partition, row]) => [partition, row.nextOffset]));
  const emitted: PartitionNotice[] = [];
  const steps: AppliedStep[] = [];
  const result = await run({
    tx,
    progress,
    emit: (partition, notice) => void emitted.push({ partition, notice }),
    applied: (step) => void steps.push(step),
  });
  const rows = numberNotices(progress, emitted);
  await saveApplied(tx, scope.program, progress, steps);
  await saveOutbox(tx, scope.program, rows);
  await saveProgress(tx, scope, [...progress.values()], before);
  if (rows.length > 0) await tx.unsafe(`SELECT pg_notify($1, '')`, [wakeChannel(scope.program)]);
  return result;
}
