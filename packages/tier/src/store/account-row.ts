import type { Customer } from "../customer.ts";
import type { TierState } from "../domain/index.ts";

/** Columns of an account in a select list. */
export const ACCOUNT_COLUMNS =
  "a.acct, a.merchant, a.customer_id, a.part, a.known, a.level, a.since, a.level_off, a.valid_until, a.valid_open, a.pin_level, a.pin_until, " +
  "a.pin_actor, a.pin_note, a.last_as_of, a.ladder_version, a.first_day, a.net, a.orders, a.bound, a.seq";

export interface AccountRow {
  readonly acct: bigint;
  readonly merchant: number;
  readonly customer_id: string;
  readonly part: number;
  readonly known: boolean;
  readonly level: string | null;
  readonly since: Date | null;
  readonly level_off: bigint;
  readonly valid_until: number | null;
  readonly valid_open: boolean;
  readonly pin_level: string | null;
  readonly pin_until: Date | null;
  readonly pin_actor: string | null;
  readonly pin_note: string | null;
  readonly last_as_of: Date | null;
  readonly ladder_version: number;
  readonly first_day: number | null;
  readonly net: bigint;
  readonly orders: number;
  readonly bound: bigint;
  readonly seq: number;
}

export function stateOf(row: AccountRow): TierState {
  return {
    levelId: row.level,
    sinceAt: row.since?.getTime() ?? null,
    validUntilDay: row.valid_until,
    validityOpen: row.valid_open,
    pin:
      row.pin_level === null
        ? null
        : { levelId: row.pin_level, untilAt: row.pin_until?.getTime() ?? null, actor: row.pin_actor ?? "", note: row.pin_note ?? "" },
    lastAsOf: row.last_as_of?.getTime() ?? null,
    ladderVersion: row.ladder_version,
    firstDay: row.first_day,
    totalNetMinor: row.net,
    totalOrders: row.orders,
    bound: row.bound,
  };
}

/** What an order changes that neither raises nor ends anything. */
export const TOTALS = {
  acct: "int8",
  known: "bool",
  valid_open: "bool",
  last_as_of: "timestamptz",
  first_day: "int4",
  net: "int8",
  orders: "int4",
  bound: "int8",
} as const;

/** Everything. */
export const ALL = {
  ...TOTALS,
  level: "text",
  since: "timestamptz",
  level_off: "int8",
  valid_until: "int4",
  pin_level: "text",
  pin_until: "timestamptz",
  pin_actor: "text",
  pin_note: "text",
  ladder_version: "int4",
  seq: "int4",
  due_at: "timestamptz",
} as const;

/** Refunds never lower the bound, so it may pass what a column holds; thresholds are far below. */
export const MAX_BOUND = 2n ** 62n;

export function totalsRow({ acct, known, state }: Customer) {
  return {
    acct,
    known,
    valid_open: state.validityOpen,
    last_as_of: state.lastAsOf,
    first_day: state.firstDay,
    net: state.totalNetMinor,
    orders: state.totalOrders,
    bound: state.bound > MAX_BOUND ? MAX_BOUND : state.bound,
  };
}

export function fullRow(customer: Customer, nextOffset: number) {
  const { state } = customer;
  return {
    ...totalsRow(customer),
    level: state.levelId,
    since: state.sinceAt,
    level_off: customer.levelOffset,
    valid_until: state.validUntilDay,
    pin_level: state.pin?.levelId ?? null,
    pin_until: state.pin?.untilAt ?? null,
    pin_actor: state.pin?.actor ?? null,
    pin_note: state.pin?.note ?? null,
    ladder_version: state.ladderVersion,
    seq: customer.seq,
    due_at: customer.dueAt({ partition: customer.partition, offset: nextOffset }),
  };
}

/** True when only totals changed: those rows are the many, and none of their indexed columns moves. */
export function onlyTotals({ state, stored }: Customer): boolean {
  return (
    stored !== null &&
    state.levelId === stored.levelId &&
    state.sinceAt === stored.sinceAt &&
    state.validUntilDay === stored.validUntilDay &&
    state.pin === stored.pin &&
    state.ladderVersion === stored.ladderVersion
  );
}
