import { orderTables } from "@perkstream/orders/schema";
import { instant, int8Minor, int8Number, int8Numbers } from "@perkstream/postgres/schema";
import { hostTables } from "@perkstream/program/schema";
import { sql } from "drizzle-orm";
import { bigint, boolean, customType, index, integer, jsonb, pgSchema, primaryKey, text, unique } from "drizzle-orm/pg-core";

/**
 * Schema `tier`. Whoever holds a partition's progress row is the only writer of its customers' rows.
 *
 *  order, refund, parked   what counts (packages/orders), with the levels before and after an order
 *  account                 a customer's level, its validity, pin and totals, and when time changes something next
 *  day                     a customer's remaining net and orders per local date
 *  history                 every change of a level, with the offset from which it holds
 *  ladder_version          the ladders, each with the offsets from which it holds
 *  edit_pending            whose customers a sweep still has to evaluate after an edit
 *
 * Dates are days since 1970-01-01. Counter 0 of the progress row orders the changes of a partition.
 */
export const tier = pgSchema("tier");

export const { progress, outbox, deadLetter, tally, applied, sweepRequest } = hostTables(tier);

export const { order, refund, parked } = orderTables(tier, {
  // The ladder's version only of an order that was read once more: else it is that of its offset.
  order: { level_before: text(), level_after: text(), ladder: integer() },
  refund: {},
});

/** Text that sorts by bytes: lists of customers go by it. */
const byteText = customType<{ data: string }>({ dataType: () => `text COLLATE "C"` });

// fillfactor 70 is added by migration 0001: drizzle has no word for it. No index is on a column that most orders change.
export const account = tier.table(
  "account",
  {
    acct: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    merchant: integer().notNull(),
    customerId: byteText("customer_id").notNull(),
    part: integer().notNull(),
    /** The merchant's clock is manual: the background sweep leaves the customer out. */
    manual: boolean().notNull().default(false),
    /** An order was counted or a command accepted. */
    known: boolean().notNull().default(false),
    level: text(),
    since: instant(),
    /** The offset from which the level holds: no earlier one need look at the history. */
    levelOff: int8Number("level_off").notNull().default(0),
    validUntil: integer("valid_until"),
    /** Orders came since: the true end may be later. */
    validOpen: boolean("valid_open").notNull().default(false),
    pinLevel: text("pin_level"),
    pinUntil: instant("pin_until"),
    pinActor: text("pin_actor"),
    pinNote: text("pin_note"),
    lastAsOf: instant("last_as_of"),
    ladderVersion: integer("ladder_version").notNull().default(0),
    firstDay: integer("first_day"),
    net: int8Minor()
      .notNull()
      .default(sql`0`),
    orders: integer().notNull().default(0),
    /** Never below what the customer qualifies by. */
    bound: int8Minor()
      .notNull()
      .default(sql`0`),
    /** The last number in the customer's history. */
    seq: integer().notNull().default(0),
    /** Nothing is due before; null: nothing will be. */
    dueAt: instant("due_at"),
  },
  (table) => [
    unique("account_customer_key").on(table.merchant, table.customerId),
    index("account_due_idx")
      .on(table.part, table.dueAt)
      .where(sql`due_at IS NOT NULL AND NOT manual`),
    index("account_merchant_due_idx")
      .on(table.part, table.merchant, table.dueAt)
      .where(sql`due_at IS NOT NULL`),
    index("account_merchant_idx").on(table.part, table.merchant, table.acct),
  ],
);

export const day = tier.table(
  "day",
  {
    acct: int8Number().notNull(),
    day: integer().notNull(),
    net: int8Minor().notNull(),
    orders: integer().notNull(),
  },
  (table) => [primaryKey({ name: "day_pkey", columns: [table.acct, table.day] })],
);

export const history = tier.table(
  "history",
  {
    acct: int8Number().notNull(),
    /** 1 is the customer's first change. */
    seq: integer().notNull(),
    fromLevel: text("from_level"),
    toLevel: text("to_level"),
    reason: text().notNull(),
    actor: text().notNull(),
    asOf: instant("as_of").notNull(),
    part: integer().notNull(),
    /** The first offset whose order is paid by the new level. */
    off: int8Number().notNull(),
    /** Orders the changes of the partition. */
    n: int8Number().notNull(),
    ruleVersion: integer("rule_version").notNull(),
    orderId: text("order_id"),
    metric: int8Minor().notNull(),
    lastPeriodMetric: int8Minor("last_period_metric"),
  },
  (table) => [primaryKey({ name: "history_pkey", columns: [table.acct, table.seq] })],
);

export const ladderVersion = tier.table(
  "ladder_version",
  {
    merchant: integer().notNull(),
    version: integer().notNull(),
    settings: jsonb().notNull(),
    levels: jsonb().notNull(),
    apply: text().notNull(),
    actor: text().notNull(),
    asOf: instant("as_of").notNull(),
    /** Offset per partition from which it holds. */
    fromOffsets: int8Numbers("from_offsets").notNull(),
  },
  (table) => [primaryKey({ name: "ladder_version_pkey", columns: [table.merchant, table.version] })],
);

export const editPending = tier.table(
  "edit_pending",
  {
    part: integer().notNull(),
    merchant: integer().notNull(),
    /** Customers up to this one are done. */
    afterAcct: int8Number("after_acct").notNull().default(0),
  },
  (table) => [primaryKey({ name: "edit_pending_pkey", columns: [table.part, table.merchant] })],
);
