import type { Sql, Tx } from "@perkstream/postgres";

/** One Kafka record. Offsets are safe integers; `timestamp` is the record's, in ms since 1970. */
export interface SourceRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

/** Why a record is not applied. `reason` is from the program's closed list; `message` names the field. */
export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

export type Decoded<E> = { readonly event: E } | { readonly rejected: Rejection };

/** A decoded record. `scope` is the merchant's id: counters and the sweep bound are kept per scope. */
export interface Entry<E> {
  readonly record: SourceRecord;
  readonly scope: string | null;
  readonly event: E;
  /** Of a record that is read once more: the partition's next offset, before which it is handled. Else absent: its own offset. */
  readonly place?: number;
}

/** The offset whose rules an entry is decided by. */
export function placeOf({ record, place }: Entry<unknown>): number {
  return place ?? record.offset;
}

/** The first offset that finds what an entry changes: the next one, or that before which a record was read once more. */
export function holdsFrom({ record, place }: Entry<unknown>): number {
  return place ?? record.offset + 1;
}

/** A notification to publish: `value` is framed Avro, `id` is a UUIDv5 of its cause (protocols: a repeat has the same id). */
export interface Notice {
  readonly id: string;
  readonly key: string;
  readonly value: Buffer;
}

/** A record that was not applied, with its original coordinates (those of a parked event are older than the chunk). */
export interface DeadLetter {
  readonly record: SourceRecord;
  readonly scope: string | null;
  readonly reason: string;
  readonly message: string;
}

/** What happened to one event. `notices` are published in this order; `deadLetters` are of parked events that did not fit. */
export interface Outcome {
  readonly result: "applied" | "duplicate" | "parked" | { readonly rejected: Rejection };
  readonly notices: readonly Notice[];
  readonly deadLetters?: readonly DeadLetter[];
  /** Events parked earlier that this one released. */
  readonly unparked?: number;
  /** How many of the released ones were repeats. */
  readonly duplicates?: number;
}

/** The locked progress row of one partition, read in this transaction. */
export interface PartitionProgress {
  readonly partition: number;
  /** The next offset to handle: what a command or sweep of this transaction takes effect from. */
  readonly nextOffset: number;
  /** Per-partition counters of the program's own (ids of lots, transfers, …); host stores them back with the progress. */
  readonly counters: number[];
}

/** What a transaction of a program may use. */
export interface ChunkContext {
  readonly tx: Tx;
  readonly progress: ReadonlyMap<number, PartitionProgress>;
}

/** What a sweep is to do. */
export interface SweepRequest {
  readonly partition: number;
  /** Nothing later than this is applied (ms). */
  readonly until: number;
  /** True while the partition has a backlog: then go no further than `tally.high_ts` of each merchant. */
  readonly backlog: boolean;
  /** Only this merchant, exactly to `until` (POST /v1/dev/sweep); else every merchant but those with a manual clock. */
  readonly scope: string | null;
  /** At most so many customers. */
  readonly limit: number;
}

/**
 * What was applied outside of events (a sweep's step, a command, an edit): stored in `applied` with the partition's next offset
 * and a number, so that reading again gives the same (docs/programs.md, "What can be recomputed").
 */
export interface AppliedStep {
  readonly partition: number;
  readonly kind: string;
  /** The program's surrogate id; 0: it is about no customer. */
  readonly customer: number;
  /** ms */
  readonly asOf: number;
  /** What is needed to do it again, as JSON. */
  readonly detail: Readonly<Record<string, unknown>> | null;
}

export interface SweepOutcome {
  readonly notices: readonly { readonly partition: number; readonly notice: Notice }[];
  readonly applied: readonly AppliedStep[];
  /** True when the limit cut the step: the host calls again. */
  readonly more: boolean;
}

/**
 * A loyalty program: what to load, how to decide, what to save, what time causes.
 * `E` is its event, `W` the working set of one transaction.
 *
 *   decode ─► [horizon] ─► BEGIN, lock progress ─► load ─► decide, event by event ─► save ─► outbox, progress, COMMIT ─► publish
 *
 * `decide` is synchronous and must do no I/O; it mutates the working set. When it throws, the transaction is rolled back.
 */
export interface Program<E, W> {
  /** Also the database schema, the metrics label and the header `program`. */
  readonly name: string;
  readonly topic: string;
  readonly groupId: string;
  /** Makes everything ready that `decode` needs (schemas of unknown ids). Rejects on an outage: the host retries. */
  prepare?(records: readonly SourceRecord[]): Promise<void>;
  decode(record: SourceRecord): Decoded<E> & { readonly scope: string | null };
  /**
   * The offset (exclusive) up to which each partition may be handled now; a partition that is absent is not held.
   * Called outside of any transaction. Entries start at the partition's next offset.
   */
  horizon?(entries: ReadonlyMap<number, readonly Entry<E>[]>): Promise<ReadonlyMap<number, number>>;
  load(context: ChunkContext, entries: readonly Entry<E>[]): Promise<W>;
  decide(work: W, entry: Entry<E>): Outcome;
  save(context: ChunkContext, work: W): Promise<void>;
  /** After COMMIT: caches may take what the transaction learned. */
  committed?(work: W): void;
  /** After a lost fence, a lost connection or an assignment: what is cached of rows may be wrong. */
  dropCaches?(): void;
  sweep?(context: ChunkContext, request: SweepRequest): Promise<SweepOutcome>;
  /** Of these partitions, those where a sweep of one merchant up to `until` (ms) may find something. Without it: all. */
  sweepable?(sql: Sql, partitions: readonly number[], scope: string, until: number): Promise<readonly number[]>;
  /** Partitions that are to be swept at once, since others have left work there. Asked at every poll and after a NOTIFY. */
  urgent?(sql: Sql): Promise<readonly number[]>;
  /** After `save` of an entry that was read once more and was applied or parked: its customer, and what to store with that step. */
  redriven?(context: ChunkContext, work: W, entry: Entry<E>): Promise<Pick<AppliedStep, "customer" | "asOf" | "detail">>;
}
