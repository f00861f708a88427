import type { Sql, Tx } from "@perkstream/postgres";
import { isoOrNull, isoTime } from "./shapes.ts";

export interface RedemptionView {
  readonly redemptionId: string;
  readonly customerId: string;
  readonly orderId: string | null;
  readonly amountMinor: number;
  readonly status: "reserved" | "committed" | "released" | "lapsed";
  readonly expiresAt: string | null;
  readonly restoredMinor: number;
  readonly parts: readonly {
    readonly orderId: string;
    readonly campaignId: string;
    readonly amountMinor: number;
    readonly restoredMinor: number;
  }[];
  readonly createdAt: string;
}

const statuses = ["reserved", "committed", "released", "lapsed"] as const;

interface Row {
  readonly seq: bigint;
  readonly customer_id: string;
  readonly order_id: string | null;
  readonly amount: bigint;
  readonly status: number;
  readonly created_at: Date;
  readonly expires_at: Date | null;
}

interface PartRow {
  readonly order_id: string;
  readonly campaign_id: string;
  readonly amount: bigint;
  readonly restored: bigint;
}

/** A redemption as it is stored; a lapse shows once it was applied. `merchant` is the surrogate id. */
export async function findRedemptionView(sql: Sql | Tx, merchant: number, redemptionId: string): Promise<RedemptionView | undefined> {
  const rows = await sql.unsafe<Row[]>(
    `SELECT p.seq, a.customer_id, p.order_id, p.amount, p.status, p.created_at, p.expires_at
     FROM cashback.redemption p JOIN cashback.account a USING (acct) WHERE p.merchant = $1 AND p.redemption_id = $2`,
    [merchant, redemptionId],
    { prepare: true },
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const parts = await sql.unsafe<PartRow[]>(
    `SELECT l.order_id, c.campaign_id, q.amount, q.restored FROM cashback.redemption_part q JOIN cashback.redemption p ON p.seq = q.redemption
       JOIN cashback.lot l ON l.acct = p.acct AND l.lot_id = q.lot JOIN cashback.campaign c USING (campaign) WHERE q.redemption = $1 ORDER BY q.n`,
    [row.seq],
    { prepare: true },
  );
  return {
    redemptionId,
    customerId: row.customer_id,
    orderId: row.order_id,
    amountMinor: Number(row.amount),
    status: statuses[row.status - 1] ?? "reserved",
    expiresAt: isoOrNull(row.expires_at),
    restoredMinor: parts.reduce((total, part) => total + Number(part.restored), 0),
    parts: parts.map((part) => ({
      orderId: part.order_id,
      campaignId: part.campaign_id,
      amountMinor: Number(part.amount),
      restoredMinor: Number(part.restored),
    })),
    createdAt: isoTime(row.created_at),
  };
}
