import { topics } from "@perkstream/contracts";
import { fromSet, type Sql, type Tx } from "@perkstream/postgres";
import { awardField } from "../awards.ts";
import { type CapPeriod, capPeriodCode, capPeriodText } from "../domain/index.ts";
import { accountName, type CashbackView, isoOrNull, isoTime, kindName, type LotView, type Page, type TransferView } from "./shapes.ts";

type Reader = Sql | Tx;

interface AccountRow {
  readonly customer_id: string;
  readonly pending: bigint;
  readonly available: bigint;
  readonly reserved: bigint;
  readonly debt: bigint;
  readonly next_amount: bigint | null;
  readonly next_at: Date | null;
}

/** Balances of known customers, by customer id; who is absent is not known to this program. `merchant` is the surrogate id. */
export async function cashbackOf(sql: Reader, merchant: number, customerIds: readonly string[]): Promise<Map<string, CashbackView>> {
  if (customerIds.length === 0) return new Map();
  const set = fromSet(
    { customer_id: "text" },
    customerIds.map((customer_id) => ({ customer_id })),
    2,
  );
  const rows = await sql.unsafe<AccountRow[]>(
    `SELECT a.customer_id, a.pending, a.available, a.reserved, a.debt, l.available AS next_amount, l.expires_at AS next_at
     FROM ${set.text} AS r JOIN cashback.account a ON a.merchant = $1 AND a.customer_id = r.customer_id
       LEFT JOIN LATERAL (SELECT available, expires_at FROM cashback.lot WHERE acct = a.acct AND available > 0 AND expires_at IS NOT NULL
         ORDER BY expires_at, lot_id LIMIT 1) l ON true
     WHERE a.known`,
    [merchant, ...set.params],
    { prepare: true },
  );
  return new Map(rows.map((row) => [row.customer_id, viewOf(row)]));
}

function viewOf({ pending, available, reserved, debt, next_amount, next_at }: AccountRow): CashbackView {
  return {
    pendingMinor: Number(pending),
    availableMinor: Number(available),
    reservedMinor: Number(reserved),
    debtMinor: Number(debt),
    balanceMinor: Number(available - debt),
    nextExpiry: next_amount === null || next_at === null ? null : { amountMinor: Number(next_amount), at: isoTime(next_at) },
  };
}

/** A page of something of one customer; undefined for a customer that is not known. */
interface PageRequest {
  readonly limit: number;
  /** `next` of the page before. */
  readonly before?: number | undefined;
}

async function acctOf(sql: Reader, merchant: number, customerId: string): Promise<bigint | undefined> {
  const rows = await sql.unsafe<{ acct: bigint }[]>(
    `SELECT acct FROM cashback.account WHERE merchant = $1 AND customer_id = $2 AND known`,
    [merchant, customerId],
    {
      prepare: true,
    },
  );
  return rows[0]?.acct;
}

function pageOf<R, T>(rows: readonly R[], limit: number, idOf: (row: R) => bigint, view: (row: R) => T): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { data: shown.map(view), next: rows.length > limit && last !== undefined ? Number(idOf(last)) : null };
}

interface LotRow {
  readonly lot_id: bigint;
  readonly order_id: string;
  readonly campaign_id: string;
  readonly granted: bigint;
  readonly pending: bigint;
  readonly available: bigint;
  readonly reserved: bigint;
  readonly redeemed: bigint;
  readonly expired: bigint;
  readonly reversed: bigint;
  readonly available_at: Date;
  readonly expires_at: Date | null;
}

export async function listLots(
  sql: Reader,
  merchant: number,
  customerId: string,
  { limit, before }: PageRequest,
): Promise<Page<LotView> | undefined> {
  const acct = await acctOf(sql, merchant, customerId);
  if (acct === undefined) return undefined;
  const rows = await sql.unsafe<LotRow[]>(
    `SELECT l.lot_id, l.order_id, c.campaign_id, l.granted, l.pending, l.available, l.reserved, l.redeemed, l.expired, l.reversed, l.available_at, l.expires_at
     FROM cashback.lot l JOIN cashback.campaign c USING (campaign) WHERE l.acct = $1 AND l.lot_id < $2 ORDER BY l.lot_id DESC LIMIT $3`,
    [acct, before ?? Number.MAX_SAFE_INTEGER, limit + 1],
    { prepare: true },
  );
  return pageOf(
    rows,
    limit,
    (row) => row.lot_id,
    (row) => ({
      orderId: row.order_id,
      campaignId: row.campaign_id,
      grantedMinor: Number(row.granted),
      pendingMinor: Number(row.pending),
      availableMinor: Number(row.available),
      reservedMinor: Number(row.reserved),
      redeemedMinor: Number(row.redeemed),
      expiredMinor: Number(row.expired),
      reversedMinor: Number(row.reversed),
      availableAt: isoTime(row.available_at),
      expiresAt: isoOrNull(row.expires_at),
    }),
  );
}

interface TransferRow {
  readonly id: bigint;
  readonly debit: number;
  readonly credit: number;
  readonly kind: number;
  readonly amount: bigint;
  readonly off: bigint | null;
  readonly request_id: string | null;
  readonly as_of: Date;
  readonly order_id: string;
  readonly campaign_id: string;
  readonly part: number;
}

export async function listTransfers(
  sql: Reader,
  merchant: number,
  customerId: string,
  { limit, before }: PageRequest,
): Promise<Page<TransferView> | undefined> {
  const acct = await acctOf(sql, merchant, customerId);
  if (acct === undefined) return undefined;
  const rows = await sql.unsafe<TransferRow[]>(
    `SELECT t.id, t.debit, t.credit, t.kind, t.amount, t.off, t.request_id, t.as_of, l.order_id, c.campaign_id, a.part
     FROM cashback.transfer t JOIN cashback.account a USING (acct) JOIN cashback.lot l ON l.acct = t.acct AND l.lot_id = t.lot JOIN cashback.campaign c USING (campaign)
     WHERE t.acct = $1 AND t.id < $2 ORDER BY t.id DESC LIMIT $3`,
    [acct, before ?? Number.MAX_SAFE_INTEGER, limit + 1],
    { prepare: true },
  );
  return pageOf(
    rows,
    limit,
    (row) => row.id,
    (row) => ({
      id: Number(row.id),
      debit: accountName(row.debit),
      credit: accountName(row.credit),
      amountMinor: Number(row.amount),
      kind: kindName(row.kind),
      orderId: row.order_id,
      campaignId: row.campaign_id,
      cause: causeOf(row),
      asOf: isoTime(row.as_of),
    }),
  );
}

function causeOf({ off, request_id, as_of, part }: TransferRow): TransferView["cause"] {
  if (off !== null) return { topic: topics.orders, partition: part, offset: Number(off) };
  return request_id === null ? { due: isoTime(as_of) } : { requestId: request_id };
}

export interface CapView {
  readonly campaignId: string;
  readonly period: string;
  readonly usedMinor: number;
}

const periods: readonly CapPeriod[] = ["day", "month", "campaign"];

/**
 * What the customer has used of the caps that campaigns have now, by campaign and period. From the awards of the orders, so that a cap
 * that came with a later version shows what counts against it.
 */
export async function listCaps(sql: Reader, merchant: number, customerId: string): Promise<CapView[] | undefined> {
  const acct = await acctOf(sql, merchant, customerId);
  if (acct === undefined) return undefined;
  const rows = await sql.unsafe<{ campaign_id: string; period: number; key: number; used: bigint }[]>(
    `WITH capped AS (
       SELECT c.campaign, c.campaign_id, CASE v.definition->'perCustomerCap'->>'period' WHEN 'day' THEN 1 WHEN 'month' THEN 2 ELSE 4 END AS period
       FROM cashback.campaign c JOIN cashback.campaign_version v USING (campaign, version)
       WHERE c.merchant = $2 AND jsonb_typeof(v.definition->'perCustomerCap') = 'object')
     SELECT c.campaign_id, c.period::int4 AS period, (CASE c.period WHEN 1 THEN o.local_date - DATE '1970-01-01'
         WHEN 2 THEN extract(year FROM o.local_date) * 12 + extract(month FROM o.local_date) - 1 ELSE 0 END)::int4 AS key, sum((a.award->>${awardField.current})::int8)::int8 AS used
     FROM cashback."order" o CROSS JOIN LATERAL jsonb_array_elements(o.awards::jsonb->'a') AS a(award) JOIN capped c ON c.campaign = (a.award->>${awardField.campaign})::int4
     WHERE o.acct = $1 AND (a.award->>${awardField.awarded})::int8 > 0 GROUP BY 1, 2, 3 ORDER BY 1, 3`,
    [acct, merchant],
    { prepare: true },
  );
  return rows.map(({ campaign_id, period, key, used }) => {
    const name = periods.find((one) => capPeriodCode[one] === period) ?? "campaign";
    return { campaignId: campaign_id, period: capPeriodText(name, key), usedMinor: Number(used) };
  });
}
