import { bytea, instant, int8Number } from "@perkstream/postgres/schema";
import {
  bigint,
  boolean,
  customType,
  date,
  index,
  integer,
  jsonb,
  primaryKey,
  text,
  type PgColumnBuilderBase,
  type PgSchema,
} from "drizzle-orm/pg-core";

/** Columns of the program's own: all nullable or with a default, since the API may add rows' columns later. */
export type ExtraColumns = Record<string, PgColumnBuilderBase>;

const int8Array = customType<{ data: string; driverData: string }>({ dataType: () => "bigint[]" });

/**
 * The order tables of a program, in its own schema, to be exported from its schema.ts so that its migrations make them:
 *
 *  order   counted orders; (merchant, order_id) is what makes an order count once
 *  refund  refunds and cancellations that were applied
 *  parked  refunds and cancellations whose order has not come yet
 *
 * `extra` are columns of the program's own (levels before and after, awards, clawbacks), keyed by their SQL names;
 * `createOrderBook` writes and reads them.
 */
export function orderTables<Name extends string, X extends ExtraColumns, R extends ExtraColumns>(
  schema: PgSchema<Name>,
  extra: {
    readonly order: X;
    readonly refund: R;
    /** Whether the program finds a customer's orders by time. */ readonly byCustomer?: boolean;
  },
) {
  const order = schema.table("order", { ...orderColumns(), ...extra.order }, (table) => [
    primaryKey({ name: "order_pkey", columns: [table.merchant, table.orderId] }),
    ...(extra.byCustomer === true ? [index("order_acct_idx").on(table.acct, table.occurredAt)] : []),
  ]);
  const refund = schema.table("refund", { ...refundColumns(), ...extra.refund }, (table) => [
    primaryKey({ name: "refund_pkey", columns: [table.merchant, table.orderId, table.refundId] }),
  ]);
  const parked = schema.table("parked", parkedColumns(), (table) => [
    primaryKey({ name: "parked_pkey", columns: [table.merchant, table.orderId, table.id] }),
  ]);
  return { order, refund, parked };
}

const orderColumns = () => ({
  merchant: integer().notNull(),
  orderId: text("order_id").notNull(),
  acct: int8Number().notNull(),
  part: integer().notNull(),
  off: int8Number().notNull(),
  occurredAt: instant("occurred_at").notNull(),
  localDate: date("local_date").notNull(),
  /** Timestamp of the order's record. */
  recordAt: instant("record_at").notNull(),
  /** The framed bytes of the event. */
  payload: bytea().notNull(),
  /** Net of each line that is not refunded; null until the first refund. */
  remaining: int8Array(),
  cancelled: boolean().notNull().default(false),
});

const refundColumns = () => ({
  merchant: integer().notNull(),
  orderId: text("order_id").notNull(),
  /** Empty for the cancellation. */
  refundId: text("refund_id").notNull(),
  /** 0 for the first that was applied to the order. */
  position: integer().notNull(),
  part: integer().notNull(),
  off: int8Number().notNull(),
  occurredAt: instant("occurred_at").notNull(),
  asOf: instant("as_of").notNull(),
  recordAt: instant("record_at").notNull(),
  payload: bytea().notNull(),
  /** What it took: positions of order lines, and the amount of each. */
  lines: int8Array().notNull(),
  amounts: int8Array().notNull(),
});

const parkedColumns = () => ({
  /** The order of arrival. */
  id: bigint({ mode: "number" }).generatedAlwaysAsIdentity(),
  merchant: integer().notNull(),
  orderId: text("order_id").notNull(),
  part: integer().notNull(),
  off: int8Number().notNull(),
  recordAt: instant("record_at").notNull(),
  key: bytea(),
  value: bytea().notNull(),
  /** name → base64 */
  headers: jsonb().notNull(),
});
