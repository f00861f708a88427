import { bytea, instant, int8Number, int8Numbers } from "@perkstream/postgres/schema";
import { sql } from "drizzle-orm";
import { boolean, index, integer, jsonb, primaryKey, text, uuid, type PgSchema } from "drizzle-orm/pg-core";

/**
 * The tables that the host keeps in every program's own schema:
 *
 *  progress       how far a partition was handled; its row lock is the mutex of all state of the partition
 *  outbox         notifications committed but not yet acknowledged by Kafka, gapless per partition
 *  dead_letter    records that were not applied, with original bytes and coordinates
 *  tally          counters per partition and scope (merchant), and the highest record timestamp read
 *  applied        sweeps, commands and edits, so that reading again gives the same (docs/programs.md, "What can be recomputed")
 *  sweep_request  sweeps that somebody asked for (POST /v1/dev/sweep)
 */
export function hostTables(schema: PgSchema) {
  const progress = schema.table(
    "progress",
    {
      topic: text().notNull(),
      part: integer().notNull(),
      nextOff: int8Number("next_off").notNull().default(0),
      /** Random; written at every assignment. */
      epoch: int8Number().notNull().default(0),
      /** The last number given to an outbox row. */
      outSeq: int8Number("out_seq").notNull().default(0),
      /** Everything up to this number is in Kafka. Only grows. */
      published: int8Number().notNull().default(0),
      counters: int8Numbers()
        .notNull()
        .default(sql`'{}'`),
      /** The last number given to a row of `applied`. */
      appliedSeq: int8Number("applied_seq").notNull().default(0),
      /** The event that made the program fail, and how often. */
      failedOff: int8Number("failed_off"),
      failures: integer().notNull().default(0),
    },
    (table) => [primaryKey({ columns: [table.topic, table.part] })],
  );

  const outbox = schema.table(
    "outbox",
    {
      part: integer().notNull(),
      seq: int8Number().notNull(),
      epoch: int8Number().notNull(),
      id: uuid().notNull(),
      key: text().notNull(),
      value: bytea().notNull(),
    },
    (table) => [primaryKey({ columns: [table.part, table.seq] })],
  );

  const deadLetter = schema.table(
    "dead_letter",
    {
      id: uuid().primaryKey().defaultRandom(),
      topic: text().notNull(),
      part: integer().notNull(),
      off: int8Number().notNull(),
      recordAt: instant("record_at").notNull(),
      key: bytea(),
      value: bytea(),
      /** {name: base64} */
      headers: jsonb().notNull(),
      scope: uuid(),
      reason: text().notNull(),
      message: text().notNull(),
      createdAt: instant("created_at")
        .notNull()
        .default(sql`now()`),
      redrivenAt: instant("redriven_at"),
      /** When Kafka had it on the program's topic of dead letters; null: it waits for that. */
      publishedAt: instant("published_at"),
    },
    (table) => [
      index().on(table.scope, table.createdAt),
      index().on(table.part, table.off),
      index()
        .on(table.part)
        .where(sql`published_at is null`),
    ],
  );

  const tally = schema.table(
    "tally",
    {
      part: integer().notNull(),
      scope: uuid().notNull(),
      events: int8Number().notNull().default(0),
      duplicates: int8Number().notNull().default(0),
      parked: int8Number().notNull().default(0),
      /** The highest timestamp of this scope's records read so far. */
      highAt: instant("high_at").notNull(),
    },
    (table) => [primaryKey({ columns: [table.part, table.scope] })],
  );

  const applied = schema.table(
    "applied",
    {
      part: integer().notNull(),
      /** Effective offset, and the order within it. */
      off: int8Number().notNull(),
      n: int8Number().notNull(),
      kind: text().notNull(),
      customer: int8Number().notNull(),
      asOf: instant("as_of").notNull(),
      detail: jsonb(),
    },
    (table) => [primaryKey({ columns: [table.part, table.off, table.n] })],
  );

  const sweepRequest = schema.table(
    "sweep_request",
    {
      id: uuid().notNull(),
      part: integer().notNull(),
      scope: uuid().notNull(),
      at: instant().notNull(),
      /** The partition must have been handled up to here first. */
      afterOff: int8Number("after_off").notNull().default(0),
      done: boolean().notNull().default(false),
    },
    (table) => [
      primaryKey({ columns: [table.id, table.part] }),
      index()
        .on(table.part)
        .where(sql`not done`),
    ],
  );

  return { progress, outbox, deadLetter, tally, applied, sweepRequest };
}
