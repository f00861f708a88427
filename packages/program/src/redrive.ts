import type { Sql, Tx } from "@perkstream/postgres";
import { headersOf, type RecordColumns, saveDeadLetters } from "./dead-letters.ts";
import { classify } from "./errors.ts";
import type { DeadLetter, Entry, Outcome, Program, Rejection, SourceRecord } from "./program.ts";
import type { CommandContext, ProgramScope } from "./progress.ts";
import { saveTally, tally } from "./tally.ts";

/** A dead letter with its record, as it was read from the topic. */
export interface StoredDeadLetter {
  readonly id: string;
  readonly scope: string | null;
  readonly record: SourceRecord;
}

/** What became of a record that was read once more. */
export type RedriveResult = "applied" | "duplicate" | "parked" | Rejection;

interface DeadLetterRow extends RecordColumns {
  readonly id: string;
  readonly scope: string | null;
}

const COLUMNS = "id, scope, part, off, record_at, key, value, headers";

/** One dead letter of a program; null when it has none of that id. */
export async function findDeadLetter(sql: Sql | Tx, { program, topic }: ProgramScope, id: string): Promise<StoredDeadLetter | null> {
  const rows = await sql.unsafe<DeadLetterRow[]>(
    `SELECT ${COLUMNS} FROM ${program}.dead_letter WHERE topic = $1 AND id = $2`,
    [topic, id],
    {
      prepare: true,
    },
  );
  return rows[0] === undefined ? null : deadLetterOf(rows[0]);
}

function deadLetterOf(row: DeadLetterRow): StoredDeadLetter {
  const { key, value, part: partition } = row;
  return {
    id: row.id,
    scope: row.scope,
    record: { partition, offset: Number(row.off), timestamp: row.record_at.getTime(), key, value, headers: headersOf(row) },
  };
}

/**
 * Reads a record of which a program has dead letters once more, before the partition's next offset: it is judged afresh, by the
 * rules that hold there, and what it causes is as if it had been read at its own offset (ids, as-of). To be called within
 * `inPartitions` over its partition, after `program.prepare` for it. The dead letters are marked; a new failure makes a new one.
 *
 * @param id of the dead letter that is asked for; it is marked again, the others of the record only if they were not yet
 * @returns null when the program has no dead letter of this record
 */
export async function redrive<E, W>(
  context: CommandContext,
  program: Program<E, W>,
  { partition, offset }: { readonly partition: number; readonly offset: number },
  id: string,
): Promise<RedriveResult | null> {
  const found = await mark(context.tx, program, partition, offset, id);
  if (found === null) return null;
  const { record } = found;
  const decoded = program.decode(record);
  if ("rejected" in decoded) return reject(context, program, { record, scope: decoded.scope, ...decoded.rejected });
  const place = context.progress.get(partition)!.nextOffset;
  const entry: Entry<E> = { record, scope: decoded.scope, event: decoded.event, place };
  const done = await attempt(context, program, entry);
  if ("rejected" in done) return reject(context, program, { record, scope: entry.scope, ...done.rejected });
  await keep(context, program, entry, done);
  return typeof done.outcome.result === "object" ? done.outcome.result.rejected : done.outcome.result;
}

/** The newest of the record's dead letters; all bear the same record. */
async function mark(
  tx: Tx,
  program: { name: string; topic: string },
  part: number,
  off: number,
  id: string,
): Promise<StoredDeadLetter | null> {
  const place = [program.topic, part, off];
  const rows = await tx.unsafe<DeadLetterRow[]>(
    `SELECT ${COLUMNS} FROM ${program.name}.dead_letter WHERE topic = $1 AND part = $2 AND off = $3 ORDER BY created_at DESC LIMIT 1`,
    place,
    { prepare: true },
  );
  if (rows[0] === undefined) return null;
  await tx.unsafe(
    `UPDATE ${program.name}.dead_letter SET redriven_at = now()
     WHERE topic = $1 AND part = $2 AND off = $3 AND (redriven_at IS NULL OR id = $4)`,
    [...place, id],
    { prepare: true },
  );
  return deadLetterOf(rows[0]);
}

interface Done<W> {
  readonly work: W;
  readonly outcome: Outcome;
}

/** The same steps as of a chunk; a defect or a value that cannot be stored concerns this record only. */
async function attempt<E, W>(context: CommandContext, program: Program<E, W>, entry: Entry<E>): Promise<Done<W> | { rejected: Rejection }> {
  const { counters } = context.progress.get(entry.record.partition)!;
  const before = [...counters];
  try {
    return await context.tx.savepoint<Done<W>>(async (tx) => {
      const own = { tx, progress: context.progress };
      const work = await program.load(own, [entry]);
      const outcome = program.decide(work, entry);
      await program.save(own, work);
      return { work, outcome };
    });
  } catch (error) {
    const kind = classify(error);
    if (kind !== "data" && kind !== "defect") throw error;
    counters.splice(0, counters.length, ...before);
    const message = error instanceof Error ? error.message : String(error);
    return kind === "data"
      ? { rejected: { reason: "invalid_event", message: `a value cannot be stored: ${message}` } }
      : { rejected: { reason: "program_error", message } };
  }
}

/** What of an outcome is the host's to store. The record was counted as read long ago. */
async function keep<E, W>(context: CommandContext, program: Program<E, W>, entry: Entry<E>, { work, outcome }: Done<W>): Promise<void> {
  const { record, scope } = entry;
  const { partition, offset } = record;
  const deadLetters: DeadLetter[] = [...(outcome.deadLetters ?? [])];
  if (typeof outcome.result === "object") deadLetters.push({ record, scope, ...outcome.result.rejected });
  await saveDeadLetters(context.tx, { program: program.name, topic: program.topic }, deadLetters);
  const counted = tally([], [entry], [outcome]).map((row) => ({ ...row, events: 0 }));
  await saveTally(context.tx, program.name, counted);
  for (const notice of outcome.notices) context.emit(partition, notice);
  if (outcome.result !== "applied" && outcome.result !== "parked") return;
  const step = (await program.redriven?.(context, work, entry)) ?? { customer: 0, asOf: record.timestamp, detail: null };
  const detail = { topic: program.topic, partition, offset, result: outcome.result, ...step.detail };
  context.applied({ partition, kind: "redrive", customer: step.customer, asOf: step.asOf, detail });
}

async function reject<E, W>({ tx }: CommandContext, program: Program<E, W>, deadLetter: DeadLetter): Promise<Rejection> {
  await saveDeadLetters(tx, { program: program.name, topic: program.topic }, [deadLetter]);
  return { reason: deadLetter.reason, message: deadLetter.message };
}
