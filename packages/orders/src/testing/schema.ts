import { integer, pgSchema, text } from "drizzle-orm/pg-core";
import { orderTables } from "../store/tables.ts";

/** A program's schema as tests need it. */
export const trial = pgSchema("trial");

export const { order, refund, parked } = orderTables(trial, {
  byCustomer: true,
  order: { level: text(), taken: integer() },
  refund: { note: text() },
});
