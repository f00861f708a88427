import type { Sql, Tx } from "@perkstream/postgres";
import type { OrderDecoder } from "@perkstream/orders";
import { readAwards, type StoredAwards, type StoredClawback } from "../awards.ts";
import { type Award, awardShares, bases, byPriority, zeroReason } from "../domain/index.ts";
import { isoTime } from "./shapes.ts";

/** "Why": every step of an award with its numbers. */
export interface WhyView {
  readonly version: number;
  readonly lines: readonly number[];
  readonly baseMinor: number;
  readonly rateBps: number;
  readonly multiplierBps: number;
  readonly earnedMinor: number;
  readonly afterOrderCapMinor?: number;
  readonly afterCustomerCapMinor?: number;
  readonly afterBudgetMinor?: number;
  readonly awardMinor: number;
  readonly reason?: string;
}

export interface AwardView {
  readonly campaignId: string;
  readonly version: number;
  readonly rateBps: number;
  readonly multiplierBps: number;
  readonly awardedMinor: number;
  readonly currentMinor: number;
  readonly lines: readonly number[];
  readonly why: WhyView;
}

export interface ClawbackView {
  readonly campaignId: string;
  readonly amountMinor: number;
  readonly pendingMinor: number;
  readonly availableMinor: number;
  readonly expiredMinor: number;
  readonly otherLotsMinor: number;
  readonly debtMinor: number;
  readonly writtenOffMinor: number;
}

export interface RefundView {
  readonly refundId: string | null;
  readonly occurredAt: string;
  readonly asOf: string;
  readonly amountMinor: number;
  readonly putBackMinor: number;
  readonly clawbacks: readonly ClawbackView[];
}

/** Cashback's side of an order; the API adds the tier's. */
export interface OrderView {
  readonly orderId: string;
  readonly customerId: string;
  readonly occurredAt: string;
  readonly localDate: string;
  readonly currency: string;
  readonly cancelled: boolean;
  readonly paidWithCashbackMinor: number;
  readonly lines: readonly {
    readonly line: number;
    readonly sku: string;
    readonly category: string | null;
    readonly quantity: number;
    readonly netMinor: number;
    readonly baseMinor: number;
    readonly remainingMinor: number;
  }[];
  readonly awards: readonly AwardView[];
  readonly notEligible: readonly { readonly campaignId: string; readonly reason: string }[];
  readonly refunds: readonly RefundView[];
}

interface OrderRow {
  readonly order_id: string;
  readonly customer_id: string;
  readonly occurred_at: Date;
  readonly local_date: string;
  readonly payload: Buffer;
  readonly remaining: string | null;
  readonly cancelled: boolean;
  /** JSON of StoredAwards. */
  readonly awards: string | null;
}

interface RefundRow {
  readonly refund_id: string;
  readonly occurred_at: Date;
  readonly as_of: Date;
  readonly amount: bigint;
  readonly put_back: bigint | null;
  readonly clawbacks: readonly StoredClawback[] | null;
}

/** One counted order with its awards and refunds; undefined while this program has not counted it. `merchant` is the surrogate id. */
export async function findOrder(sql: Sql | Tx, decoder: OrderDecoder, merchant: number, orderId: string): Promise<OrderView | undefined> {
  const [orders, refunds, names] = await Promise.all([
    sql.unsafe<OrderRow[]>(
      `SELECT o.order_id, a.customer_id, o.occurred_at, o.local_date, o.payload, o.remaining, o.cancelled, o.awards
       FROM cashback."order" o JOIN cashback.account a USING (acct) WHERE o.merchant = $1 AND o.order_id = $2`,
      [merchant, orderId],
      { prepare: true },
    ),
    sql.unsafe<RefundRow[]>(
      `SELECT r.refund_id, r.occurred_at, r.as_of, (SELECT coalesce(sum(x), 0)::int8 FROM unnest(r.amounts) x) AS amount, r.put_back, r.clawbacks
       FROM cashback.refund r WHERE r.merchant = $1 AND r.order_id = $2 ORDER BY r.position`,
      [merchant, orderId],
      { prepare: true },
    ),
    campaignNames(sql, merchant),
  ]);
  const row = orders[0];
  return row === undefined ? undefined : await viewOf(row, refunds, names, decoder);
}

async function campaignNames(sql: Sql | Tx, merchant: number): Promise<(campaign: number) => string> {
  const rows = await sql.unsafe<{ campaign: number; campaign_id: string }[]>(
    `SELECT campaign, campaign_id FROM cashback.campaign WHERE merchant = $1`,
    [merchant],
    {
      prepare: true,
    },
  );
  const names = new Map(rows.map((row) => [row.campaign, row.campaign_id]));
  return (campaign) => names.get(campaign) ?? String(campaign);
}

async function viewOf(
  row: OrderRow,
  refunds: readonly RefundRow[],
  campaignId: (campaign: number) => string,
  decoder: OrderDecoder,
): Promise<OrderView> {
  await decoder.prepare([row.payload]);
  const decoded = decoder.decode(row.payload);
  if (!decoded.ok || decoded.event.type !== "OrderPlaced") throw new Error(`order ${row.order_id} does not decode`);
  const { lines, currency, paidWithCashbackMinor } = decoded.event;
  const lineBases = bases(lines, paidWithCashbackMinor);
  const remaining = row.remaining === null ? lines.map((line) => line.netMinor) : row.remaining.slice(1, -1).split(",").map(BigInt);
  const stored = row.awards === null ? null : (JSON.parse(row.awards) as StoredAwards);
  const awards = readAwards(stored, campaignId)
    .map(({ award }) => award)
    .sort(byPriority);
  return {
    orderId: row.order_id,
    customerId: row.customer_id,
    occurredAt: isoTime(row.occurred_at),
    localDate: row.local_date,
    currency,
    cancelled: row.cancelled,
    paidWithCashbackMinor: Number(paidWithCashbackMinor),
    lines: lines.map(({ sku, category, quantity, netMinor }, line) => ({
      line,
      sku,
      category,
      quantity,
      netMinor: Number(netMinor),
      baseMinor: Number(lineBases[line] ?? 0n),
      remainingMinor: Number(remaining[line] ?? 0n),
    })),
    awards: awards.map((award) => awardView(award, lineBases)),
    notEligible: (stored?.x ?? []).map(([campaign, reason]) => ({ campaignId: campaignId(campaign), reason })),
    refunds: refunds.map((refund) => refundView(refund, campaignId)),
  };
}

/** An award as the API shows it; also of a simulated order. */
export function awardView(award: Award, lineBases: readonly bigint[]): AwardView {
  const { campaignId, version, rateBps, multiplierBps } = award;
  return {
    campaignId,
    version,
    rateBps,
    multiplierBps,
    awardedMinor: Number(award.awardedMinor),
    currentMinor: Number(award.currentMinor),
    lines: awardShares(award, lineBases).map(Number),
    why: whyView(award),
  };
}

function whyView(award: Award): WhyView {
  const reason = zeroReason(award);
  return {
    version: award.version,
    lines: award.lines,
    baseMinor: Number(award.baseMinor),
    rateBps: award.rateBps,
    multiplierBps: award.multiplierBps,
    earnedMinor: Number(award.earnedMinor),
    ...(award.afterOrderCapMinor === null ? {} : { afterOrderCapMinor: Number(award.afterOrderCapMinor) }),
    ...(award.afterCustomerCapMinor === null ? {} : { afterCustomerCapMinor: Number(award.afterCustomerCapMinor) }),
    ...(award.afterBudgetMinor === null ? {} : { afterBudgetMinor: Number(award.afterBudgetMinor) }),
    awardMinor: Number(award.awardedMinor),
    ...(reason === null ? {} : { reason }),
  };
}

function refundView(row: RefundRow, campaignId: (campaign: number) => string): RefundView {
  return {
    refundId: row.refund_id === "" ? null : row.refund_id,
    occurredAt: isoTime(row.occurred_at),
    asOf: isoTime(row.as_of),
    amountMinor: Number(row.amount),
    putBackMinor: Number(row.put_back ?? 0n),
    clawbacks: (row.clawbacks ?? []).map(([campaign, amount, pending, available, expired, otherLots, debt, writtenOff]) => ({
      campaignId: campaignId(campaign),
      amountMinor: Number(amount),
      pendingMinor: Number(pending),
      availableMinor: Number(available),
      expiredMinor: Number(expired),
      otherLotsMinor: Number(otherLots),
      debtMinor: Number(debt),
      writtenOffMinor: Number(writtenOff),
    })),
  };
}
