import { instant } from "@perkstream/postgres/schema";
import { sql } from "drizzle-orm";
import { bigint, index, integer, pgSchema, primaryKey, text, uuid } from "drizzle-orm/pg-core";

/**
 * Schema `notifier`: what instances must know of each other. Nothing here outlives the sockets.
 *
 *  instance        a running notifier; gone when its lease has passed
 *  connection      a welcomed connection, in the order of the welcomes (device limit: the oldest goes)
 *  command         what all instances are to do; announced by NOTIFY, and read again by those that missed it
 *  command_result  what an instance did
 */
export const notifier = pgSchema("notifier");

export const instance = notifier.table("instance", {
  id: uuid().primaryKey(),
  leaseUntil: instant("lease_until").notNull(),
});

export const connection = notifier.table(
  "connection",
  {
    n: bigint({ mode: "number" }).generatedAlwaysAsIdentity().primaryKey(),
    session: uuid().notNull().unique(),
    instance: uuid()
      .notNull()
      .references(() => instance.id, { onDelete: "cascade" }),
    merchant: uuid().notNull(),
    customerId: text("customer_id").notNull(),
    device: text().notNull(),
    since: instant().notNull(),
  },
  (table) => [index().on(table.merchant, table.customerId), index().on(table.instance)],
);

export const command = notifier.table(
  "command",
  {
    id: uuid().primaryKey(),
    merchant: uuid().notNull(),
    customerId: text("customer_id").notNull(),
    /** Only this session, as one too many; null: all of the customer, by the merchant. */
    session: uuid(),
    createdAt: instant("created_at")
      .notNull()
      .default(sql`now()`),
  },
  (table) => [index().on(table.createdAt)],
);

export const commandResult = notifier.table(
  "command_result",
  {
    command: uuid()
      .notNull()
      .references(() => command.id, { onDelete: "cascade" }),
    instance: uuid().notNull(),
    closed: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.command, table.instance] })],
);
