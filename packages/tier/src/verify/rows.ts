import {
  BY_CUSTOMER,
  type Group,
  inGroup,
  openStored,
  type OrderRow,
  type RefundRow,
  type RowStream,
  type Snapshot,
  type StoredStreams,
} from "@perkstream/verify";
import { PROGRAM } from "../changes.ts";
import { ACCOUNT_COLUMNS, type AccountRow } from "../store/account-row.ts";

export interface TierOrderRow extends OrderRow {
  readonly level_before: string | null;
  readonly level_after: string | null;
  readonly ladder: number | null;
}

export interface DueAccountRow extends AccountRow {
  readonly due_at: Date | null;
}

export interface HistoryRow {
  readonly acct: bigint;
  readonly seq: number;
  readonly from_level: string | null;
  readonly to_level: string | null;
  readonly reason: string;
  readonly actor: string;
  readonly as_of: Date;
  readonly part: number;
  readonly off: bigint;
  readonly n: bigint;
  readonly rule_version: number;
  readonly order_id: string | null;
  readonly metric: bigint;
  readonly last_period_metric: bigint | null;
}

export interface DayRow {
  readonly acct: bigint;
  readonly day: number;
  readonly net: bigint;
  readonly orders: number;
}

/** Everything of a group's customers, customer by customer. */
export interface TierStreams extends StoredStreams<TierOrderRow, RefundRow> {
  readonly accounts: RowStream<DueAccountRow>;
  readonly history: RowStream<HistoryRow>;
  readonly days: RowStream<DayRow>;
}

export function openTier(snapshot: Snapshot, group: Group): TierStreams {
  const own = (table: string, columns: string, order: string) =>
    `SELECT ${columns} FROM tier.${table} t JOIN tier.account a USING (acct) WHERE ${inGroup(group)} ORDER BY ${BY_CUSTOMER}, ${order}`;
  return {
    ...openStored<TierOrderRow, RefundRow>(snapshot, PROGRAM, group, { order: ["level_before", "level_after", "ladder"], refund: [] }),
    accounts: snapshot.open(`SELECT ${ACCOUNT_COLUMNS}, a.due_at FROM tier.account a WHERE ${inGroup(group)} ORDER BY ${BY_CUSTOMER}`),
    history: snapshot.open(own("history", "t.*", "t.seq")),
    days: snapshot.open(own("day", "t.*", "t.day")),
  };
}
