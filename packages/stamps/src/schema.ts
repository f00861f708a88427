import { orderTables } from "@perkstream/orders/schema";
import { instant, int8Number, int8Numbers } from "@perkstream/postgres/schema";
import { hostTables } from "@perkstream/program/schema";
import { bigint, boolean, customType, integer, pgSchema, primaryKey, text, unique, uuid } from "drizzle-orm/pg-core";

/**
 * Schema `stamps`. Whoever holds a partition's progress row is the only writer of its customers' rows.
 *
 *  order, refund, parked   orders of merchants that have cards (packages/orders), with what each counts on which card
 *  account                 a customer of such a merchant
 *  sheet                   a customer's units on a card, and the rewards given for them
 *  card_version            the cards, each version with the offsets from which it holds
 */
export const stamps = pgSchema("stamps");

export const { progress, outbox, deadLetter, tally, applied, sweepRequest } = hostTables(stamps);

export const { order, refund, parked } = orderTables(stamps, {
  /** JSON: `[{cardId, version, units}]`, or null when nothing of the order counts. */
  order: { counted: text() },
  refund: {},
});

/** Text that sorts by bytes: lists go by it. */
const byteText = customType<{ data: string }>({ dataType: () => `text COLLATE "C"` });

export const account = stamps.table(
  "account",
  {
    acct: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    merchant: integer().notNull(),
    customerId: text("customer_id").notNull(),
    part: integer().notNull(),
  },
  (table) => [unique("account_customer_key").on(table.merchant, table.customerId)],
);

// fillfactor 70 is added by migration 0001: drizzle has no word for it.
export const sheet = stamps.table(
  "sheet",
  {
    acct: int8Number().notNull(),
    cardId: byteText("card_id").notNull(),
    /** By version, the first at 1: units that count and were not refunded. */
    units: int8Numbers().notNull(),
    /** Rewards given so far; never lowered. */
    rewards: int8Number().notNull(),
  },
  (table) => [primaryKey({ name: "sheet_pkey", columns: [table.acct, table.cardId] })],
);

export const cardVersion = stamps.table(
  "card_version",
  {
    /** The merchant's UUID: it is what a record's key says, so that merchants without cards are found out by this table alone. */
    merchant: uuid().notNull(),
    /** Numbers the edits of all of the merchant's cards, from 1. */
    edit: integer().notNull(),
    cardId: byteText("card_id").notNull(),
    /** Numbers the versions of this card, from 1. */
    version: integer().notNull(),
    name: text().notNull(),
    category: text().notNull(),
    size: integer().notNull(),
    active: boolean().notNull(),
    actor: text().notNull(),
    asOf: instant("as_of").notNull(),
    /** Offset per partition from which it holds. */
    fromOffsets: int8Numbers("from_offsets").notNull(),
  },
  (table) => [
    primaryKey({ name: "card_version_pkey", columns: [table.merchant, table.edit] }),
    unique("card_version_key").on(table.merchant, table.cardId, table.version),
  ],
);
