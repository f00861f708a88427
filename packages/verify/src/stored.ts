import type { Snapshot } from "./snapshot.ts";
import type { RowStream } from "./row-stream.ts";

/** Rows of a program's order tables and of `applied`, as they are read here. */
export interface OrderRow {
  readonly acct: bigint;
  readonly merchant: number;
  readonly order_id: string;
  readonly part: number;
  readonly off: bigint;
  readonly occurred_at: Date;
  readonly local_day: number;
  readonly record_at: Date;
  readonly payload: Buffer;
  readonly remaining: string | null;
  readonly cancelled: boolean;
}

export interface RefundRow {
  readonly acct: bigint;
  readonly order_id: string;
  /** Empty for the cancellation. */
  readonly refund_id: string;
  readonly position: number;
  readonly part: number;
  readonly off: bigint;
  readonly occurred_at: Date;
  readonly as_of: Date;
  readonly record_at: Date;
  readonly payload: Buffer;
  readonly lines: string;
  readonly amounts: string;
}

export interface AppliedRow {
  readonly acct: bigint;
  readonly part: number;
  readonly off: bigint;
  readonly n: bigint;
  readonly kind: string;
  readonly as_of: Date;
  readonly detail: unknown;
}

/** Merchants (surrogate ids) whose customers are read together. */
export type Group = readonly number[];

/** What picks a group's customers, for a query whose account table is `a`. */
export function inGroup(group: Group): string {
  return `a.merchant = ANY('{${group.map((id) => Math.trunc(id)).join(",")}}'::int4[])`;
}

/** The order in which every stream gives customers, for a query whose account table is `a`. */
export const BY_CUSTOMER = `a.merchant, a.customer_id COLLATE "C"`;

/** Everything that a program's customers of a group are replayed from, customer by customer, each in the order of replay. */
export interface StoredStreams<O extends OrderRow, R extends RefundRow> {
  readonly orders: RowStream<O>;
  readonly refunds: RowStream<R>;
  readonly applied: RowStream<AppliedRow>;
}

/** @param extra the program's own columns of an order and of a refund */
export function openStored<O extends OrderRow, R extends RefundRow>(
  snapshot: Snapshot,
  schema: string,
  group: Group,
  extra: { readonly order: readonly string[]; readonly refund: readonly string[] },
): StoredStreams<O, R> {
  const own = (alias: string, names: readonly string[]) => names.map((name) => `, ${alias}.${name}`).join("");
  const account = `JOIN ${schema}.account a ON a.acct`;
  return {
    orders: snapshot.open<O>(
      `SELECT o.acct, o.merchant, o.order_id, o.part, o.off, o.occurred_at, o.local_date - DATE '1970-01-01' AS local_day, o.record_at,
         o.payload, o.remaining, o.cancelled${own("o", extra.order)}
       FROM ${schema}."order" o ${account} = o.acct WHERE ${inGroup(group)} ORDER BY ${BY_CUSTOMER}, o.off, o.order_id`,
    ),
    refunds: snapshot.open<R>(
      `SELECT o.acct, r.order_id, r.refund_id, r.position, r.part, r.off, r.occurred_at, r.as_of, r.record_at, r.payload, r.lines, r.amounts${own("r", extra.refund)}
       FROM ${schema}.refund r JOIN ${schema}."order" o USING (merchant, order_id) ${account} = o.acct
       WHERE ${inGroup(group)} ORDER BY ${BY_CUSTOMER}, r.off, r.order_id, r.refund_id`,
    ),
    applied: snapshot.open<AppliedRow>(
      `SELECT a.acct, x.part, x.off, x.n, x.kind, x.as_of, x.detail
       FROM ${schema}.applied x ${account} = x.customer WHERE ${inGroup(group)} ORDER BY ${BY_CUSTOMER}, x.off, x.n`,
    ),
  };
}
