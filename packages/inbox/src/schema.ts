import { bytea, instant, int8Number } from "@perkstream/postgres/schema";
import { hostTables } from "@perkstream/program/schema";
import { sql } from "drizzle-orm";
import { bigint, index, integer, jsonb, pgSchema, primaryKey, text, unique, uuid } from "drizzle-orm/pg-core";

/**
 * Schema `inbox`: every notification of a customer, exactly once, in the order of `notifications.v1`.
 *
 *  account       a customer, and the last offset that was acknowledged on any device
 *  notification  the records as they came (framed Avro), found by customer and offset
 *  source        per program and source partition the last sequence of each epoch: how repeats are known
 *  trim          per partition the highest offset that retention took away: cursors below are too old
 */
export const inbox = pgSchema("inbox");

export const { progress, outbox, deadLetter, tally, applied, sweepRequest } = hostTables(inbox);

export const account = inbox.table(
  "account",
  {
    acct: bigint({ mode: "number" }).generatedAlwaysAsIdentity().primaryKey(),
    merchant: uuid().notNull(),
    customerId: text("customer_id").notNull(),
    part: integer().notNull(),
    /** Everything up to this offset was read; null until the first acknowledgement. */
    acked: int8Number(),
  },
  (table) => [unique().on(table.merchant, table.customerId)],
);

export const notification = inbox.table(
  "notification",
  {
    acct: int8Number().notNull(),
    part: integer().notNull(),
    off: int8Number().notNull(),
    id: uuid().notNull(),
    storedAt: instant("stored_at").notNull(),
    record: bytea().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.acct, table.part, table.off] }),
    unique().on(table.acct, table.id),
    // Rows lie in the order in which they were stored, so the retention sweep needs no more than the ranges of their blocks.
    index("notification_stored_at_brin").using("brin", table.storedAt),
  ],
);

export const source = inbox.table(
  "source",
  {
    /** Partition of notifications.v1. */
    part: integer().notNull(),
    program: text().notNull(),
    sourcePart: integer("source_part").notNull(),
    /** `[[epoch, last sequence], …]` in the order in which the epochs were first seen. */
    sequences: jsonb()
      .notNull()
      .default(sql`'[]'`),
  },
  (table) => [primaryKey({ columns: [table.part, table.program, table.sourcePart] })],
);

export const trim = inbox.table("trim", {
  part: integer().primaryKey(),
  off: int8Number().notNull(),
});
