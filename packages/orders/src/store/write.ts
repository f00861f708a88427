import { fromSet, insertSet, updateSet, type Columns, type Tx } from "@perkstream/postgres";
import type { Refund } from "../domain/order.ts";
import type { Booked, OrderEntry } from "../handle.ts";
import type { OrderBookOptions } from "./contract.ts";
import { extraNames, sentTypes, sentValue, type ExtraTypes } from "./extra.ts";
import type { OrderKey, ParkedRow } from "./read.ts";

export interface RefundRow<X, R> {
  readonly booked: Booked<X>;
  readonly refund: Refund;
  readonly entry: OrderEntry;
  readonly position: number;
  readonly asOf: number;
  readonly extra: R;
}

/** What a transaction changed. */
export interface Changes<X, R> {
  readonly added: readonly Booked<X>[];
  readonly changed: readonly Booked<X>[];
  readonly refunds: readonly RefundRow<X, R>[];
  readonly parked: readonly (OrderKey & { readonly entry: OrderEntry })[];
  readonly released: readonly ParkedRow[];
}

export type Writer<X, R> = (tx: Tx, changes: Changes<X, R>) => Promise<void>;

const ORDER = {
  merchant: "int4",
  order_id: "text",
  acct: "int8",
  part: "int4",
  off: "int8",
  occurred_at: "timestamptz",
  local_date: "date",
  record_at: "timestamptz",
  payload: "bytea",
} as const;

/** What only differs from its default once something was refunded. */
const ORDER_CHANGES = { remaining: "int8[]", cancelled: "bool" } as const;

const ORDER_UPDATE = { merchant: "int4", order_id: "text", ...ORDER_CHANGES } as const;

const REFUND = {
  merchant: "int4",
  order_id: "text",
  refund_id: "text",
  position: "int4",
  part: "int4",
  off: "int8",
  occurred_at: "timestamptz",
  as_of: "timestamptz",
  record_at: "timestamptz",
  payload: "bytea",
  lines: "int8[]",
  amounts: "int8[]",
} as const;

const PARKED = {
  merchant: "int4",
  order_id: "text",
  part: "int4",
  off: "int8",
  record_at: "timestamptz",
  key: "bytea",
  value: "bytea",
  headers: "jsonb",
} as const;

const RELEASED = { merchant: "int4", order_id: "text", id: "int8" } as const;

/** One statement per table that changed, sent together; the first that fails is the one that is reported. */
export function createWriter<X, R>({ schema, extra }: OrderBookOptions<X, R>): Writer<X, R> {
  const orderNames = extraNames(extra.order);
  const refundNames = extraNames(extra.refund);
  const orderColumns: Columns = { ...ORDER, ...ORDER_CHANGES, ...sentTypes(extra.order) };
  const updateColumns: Columns = { ...ORDER_UPDATE, ...sentTypes(extra.order) };
  const refundColumns: Columns = { ...REFUND, ...sentTypes(extra.refund) };
  const freshColumns: Columns = { ...ORDER, ...sentTypes(extra.order) };
  return async (tx, { added, changed, refunds, parked, released }) => {
    const isFresh = added.every(({ order }) => order.storedRemaining === null);
    await Promise.all([
      insertSet(
        tx,
        `"${schema}"."order"`,
        isFresh ? freshColumns : orderColumns,
        inKeyOrder(added).map((booked) => withExtra(orderRow(booked), booked.extra, extra.order, orderNames)),
      ),
      updateSet(
        tx,
        `"${schema}"."order"`,
        ["merchant", "order_id"],
        updateColumns,
        inKeyOrder(changed).map((booked) => withExtra(updateRow(booked), booked.extra, extra.order, orderNames)),
      ),
      insertSet(
        tx,
        `"${schema}".refund`,
        refundColumns,
        refunds.map((row) => withExtra(refundRow(row), row.extra, extra.refund, refundNames)),
      ),
      insertSet(tx, `"${schema}".parked`, PARKED, parked.map(parkedRow)),
      remove(tx, schema, released),
    ]);
  };
}

// Two owners that insert the same ids wait for each other in one order only, never in a circle.
function inKeyOrder<X>(orders: readonly Booked<X>[]): readonly Booked<X>[] {
  return orders.toSorted(({ order: a }, { order: b }) => a.place.merchant - b.place.merchant || (a.orderId < b.orderId ? -1 : 1));
}

function withExtra<T>(
  row: Record<string, unknown>,
  extra: T,
  types: ExtraTypes<T>,
  names: readonly (keyof T & string)[],
): Record<string, unknown> {
  for (const name of names) row[name] = sentValue(types[name], extra[name]);
  return row;
}

function orderRow<X>({ order }: Booked<X>): Record<string, unknown> {
  return {
    merchant: order.place.merchant,
    order_id: order.orderId,
    acct: order.place.acct,
    part: order.place.partition,
    off: order.place.offset,
    occurred_at: order.occurredAt,
    local_date: order.place.localDay,
    record_at: order.place.recordAt,
    payload: order.payload,
    remaining: order.storedRemaining,
    cancelled: order.cancelled,
  };
}

function updateRow<X>({ order }: Booked<X>): Record<string, unknown> {
  return { merchant: order.place.merchant, order_id: order.orderId, remaining: order.storedRemaining, cancelled: order.cancelled };
}

function refundRow<X, R>({ booked, refund, entry, position, asOf }: RefundRow<X, R>): Record<string, unknown> {
  return {
    merchant: booked.order.place.merchant,
    order_id: booked.order.orderId,
    refund_id: refund.refundId ?? "",
    position,
    part: entry.record.partition,
    off: entry.record.offset,
    occurred_at: refund.occurredAt,
    as_of: asOf,
    record_at: entry.record.timestamp,
    payload: refund.payload,
    lines: refund.lines.map(({ line }) => line),
    amounts: refund.lines.map(({ amountMinor }) => amountMinor),
  };
}

function parkedRow({ merchant, orderId, entry: { record } }: OrderKey & { readonly entry: OrderEntry }) {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(record.headers)) headers[name] = value.toString("base64");
  return {
    merchant,
    order_id: orderId,
    part: record.partition,
    off: record.offset,
    record_at: record.timestamp,
    key: record.key,
    value: record.value,
    headers,
  };
}

async function remove(tx: Tx, schema: string, released: readonly ParkedRow[]): Promise<void> {
  if (released.length === 0) return;
  const set = fromSet(
    RELEASED,
    released.map(({ merchant, orderId, id }) => ({ merchant, order_id: orderId, id })),
  );
  const match = "p.merchant = r.merchant AND p.order_id = r.order_id AND p.id = r.id";
  await tx.unsafe(`DELETE FROM "${schema}".parked p USING ${set.text} AS r WHERE ${match}`, set.params, { prepare: true });
}
