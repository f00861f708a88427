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
import type { StoredClawback } from "../awards.ts";
import { programName } from "../notices.ts";
import type { LotRow } from "../store/lots.ts";
import type { PartRow, RedemptionRow } from "../store/redemptions.ts";

export interface CashbackOrderRow extends OrderRow {
  /** JSON text. */
  readonly awards: string | null;
}

export interface CashbackRefundRow extends RefundRow {
  readonly put_back: bigint | null;
  readonly clawbacks: readonly StoredClawback[] | null;
}

export interface CashbackAccountRow {
  readonly acct: bigint;
  readonly part: number;
  readonly known: boolean;
  readonly pending: bigint;
  readonly available: bigint;
  readonly reserved: bigint;
  readonly debt: bigint;
  readonly last_as_of: Date | null;
  readonly due_at: Date | null;
  readonly unannounced_at: Date | null;
  readonly campaigns: string;
}

export interface TransferRow {
  readonly acct: bigint;
  readonly id: bigint;
  readonly lot: bigint;
  readonly debit: number;
  readonly credit: number;
  readonly kind: number;
  readonly amount: bigint;
  readonly off: bigint | null;
  readonly request_id: string | null;
  readonly as_of: Date;
}

export interface OwnedPartRow extends PartRow {
  readonly acct: bigint;
}

export interface CapRow {
  readonly acct: bigint;
  readonly campaign: number;
  readonly period: number;
  readonly key: number;
  readonly used: bigint;
}

/** Everything of a group's customers, customer by customer. */
export interface CashbackStreams extends StoredStreams<CashbackOrderRow, CashbackRefundRow> {
  readonly accounts: RowStream<CashbackAccountRow>;
  readonly lots: RowStream<LotRow>;
  readonly transfers: RowStream<TransferRow>;
  readonly redemptions: RowStream<RedemptionRow>;
  readonly parts: RowStream<OwnedPartRow>;
  readonly caps: RowStream<CapRow>;
}

export function openCashback(snapshot: Snapshot, group: Group): CashbackStreams {
  const own = (table: string, order: string) =>
    `SELECT t.* FROM cashback.${table} t JOIN cashback.account a USING (acct) WHERE ${inGroup(group)} ORDER BY ${BY_CUSTOMER}, ${order}`;
  return {
    ...openStored<CashbackOrderRow, CashbackRefundRow>(snapshot, programName, group, {
      order: ["awards"],
      refund: ["put_back", "clawbacks"],
    }),
    accounts: snapshot.open(
      `SELECT a.acct, a.part, a.known, a.pending, a.available, a.reserved, a.debt, a.last_as_of, a.due_at, a.unannounced_at, a.campaigns
       FROM cashback.account a WHERE ${inGroup(group)} ORDER BY ${BY_CUSTOMER}`,
    ),
    lots: snapshot.open(own("lot", "t.lot_id")),
    transfers: snapshot.open(own("transfer", "t.id")),
    redemptions: snapshot.open(own("redemption", "t.seq")),
    parts: snapshot.open(
      `SELECT r.acct, t.* FROM cashback.redemption_part t JOIN cashback.redemption r ON r.seq = t.redemption
       JOIN cashback.account a ON a.acct = r.acct WHERE ${inGroup(group)} ORDER BY ${BY_CUSTOMER}, t.redemption, t.n`,
    ),
    caps: snapshot.open(own("cap_usage", "t.campaign, t.period, t.key")),
  };
}
