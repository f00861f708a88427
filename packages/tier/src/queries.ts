import { formatDay } from "@perkstream/calendar";
import type { Merchant } from "@perkstream/merchant";
import type { Sql, Tx } from "@perkstream/postgres";
import { type ChangeReason, viewOf } from "./domain/index.ts";
import { ACCOUNT_COLUMNS, type AccountRow } from "./store/account-row.ts";
import { openForTime, RulesCache } from "./store/load.ts";

/** What the API shows of customers' tiers. `sql` must be a pool of openSql. Reads show what is stored; nothing that is due is applied. */

export interface CustomerTier {
  readonly customerId: string;
  /** `since` is ms since 1970, `validUntil` a local date YYYY-MM-DD. */
  readonly tier: {
    readonly id: string;
    readonly name: string;
    readonly since: number;
    readonly validUntil: string | null;
    readonly pinned: boolean;
  } | null;
  readonly metric: number;
  /** Null unless the window is yearly. */
  readonly lastPeriodMetric: number | null;
  readonly nextTier: { readonly id: string; readonly name: string; readonly missing: number } | null;
}

/** One customer as of a clock (ms); null when no order was counted and no command accepted. */
export async function customerTier(sql: Sql | Tx, merchant: Merchant, customerId: string, atMs: number): Promise<CustomerTier | null> {
  const [seen] = await customerTiers(sql, merchant, [customerId], atMs);
  return seen ?? null;
}

/** Those of the given customers that are known, by customerId ascending. */
export async function customerTiers(
  sql: Sql | Tx,
  merchant: Merchant,
  customerIds: readonly string[],
  atMs: number,
): Promise<readonly CustomerTier[]> {
  const rows: readonly AccountRow[] = await sql`
    SELECT ${sql.unsafe(ACCOUNT_COLUMNS)} FROM tier.account a
    WHERE a.merchant = ${merchant.id} AND a.customer_id = ANY(ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(customerIds)}::text::jsonb))) AND a.known
    ORDER BY a.customer_id`;
  return shown(sql, merchant, rows, atMs);
}

/** A page of customers by customerId ascending (byte order), after `after`; `tier` is a level id. */
export async function listCustomerTiers(
  sql: Sql | Tx,
  merchant: Merchant,
  page: { readonly tier?: string | undefined; readonly after?: string | undefined; readonly limit: number },
  atMs: number,
): Promise<readonly CustomerTier[]> {
  const rows: readonly AccountRow[] = await sql`
    SELECT ${sql.unsafe(ACCOUNT_COLUMNS)} FROM tier.account a
    WHERE a.merchant = ${merchant.id} AND a.customer_id > ${page.after ?? ""} AND a.known ${page.tier === undefined ? sql`` : sql`AND a.level = ${page.tier}`}
    ORDER BY a.customer_id LIMIT ${page.limit}`;
  return shown(sql, merchant, rows, atMs);
}

async function shown(sql: Sql | Tx, merchant: Merchant, rows: readonly AccountRow[], atMs: number): Promise<readonly CustomerTier[]> {
  const rules = await new RulesCache().load(sql, [merchant]);
  const now = Number.MAX_SAFE_INTEGER;
  const customers = await openForTime(sql, rows, rules, () => now, "all");
  return customers.map(({ customerId, partition, state, days, ...customer }): CustomerTier => {
    const inForce = customer.rules.rulesOf(state.ladderVersion, partition, now);
    const { level, sinceAt, validUntilDay, pinned, metric, lastPeriodMetric, next } = viewOf(inForce, state, days, atMs);
    return {
      customerId,
      tier:
        level === null
          ? null
          : {
              id: level.id,
              name: level.name,
              since: sinceAt ?? 0,
              validUntil: validUntilDay === null ? null : formatDay(validUntilDay),
              pinned,
            },
      metric: Number(metric),
      lastPeriodMetric: lastPeriodMetric === null ? null : Number(lastPeriodMetric),
      nextTier: next === null ? null : { id: next.level.id, name: next.level.name, missing: Number(next.missing) },
    };
  });
}

export interface TierHistoryEntry {
  /** The customer's own numbering, from 1: the cursor. */
  readonly seq: number;
  /** Level ids. */
  readonly from: string | null;
  readonly to: string | null;
  readonly reason: ChangeReason;
  readonly actor: string;
  readonly asOf: number;
  readonly partition: number;
  /** The first offset whose order is paid by the new level. */
  readonly offset: number;
  readonly ruleVersion: number;
  readonly orderId: string | null;
}

interface HistoryRow {
  readonly seq: number;
  readonly from_level: string | null;
  readonly to_level: string | null;
  readonly reason: ChangeReason;
  readonly actor: string;
  readonly as_of: Date;
  readonly part: number;
  readonly off: bigint;
  readonly rule_version: number;
  readonly order_id: string | null;
}

/** A page of a customer's history, newest first, below `before`; null for an unknown customer. */
export async function tierHistory(
  sql: Sql | Tx,
  merchant: Merchant,
  customerId: string,
  page: { readonly before?: number | undefined; readonly limit: number },
): Promise<readonly TierHistoryEntry[] | null> {
  const [account] = await sql<{ acct: bigint }[]>`
    SELECT acct FROM tier.account WHERE merchant = ${merchant.id} AND customer_id = ${customerId} AND known`;
  if (account === undefined) return null;
  const rows: readonly HistoryRow[] = await sql`
    SELECT seq, from_level, to_level, reason, actor, as_of, part, off, rule_version, order_id FROM tier.history
    WHERE acct = ${account.acct} AND seq < ${page.before ?? 2_147_483_647} ORDER BY seq DESC LIMIT ${page.limit}`;
  return rows.map((row) => ({
    seq: row.seq,
    from: row.from_level,
    to: row.to_level,
    reason: row.reason,
    actor: row.actor,
    asOf: row.as_of.getTime(),
    partition: row.part,
    offset: Number(row.off),
    ruleVersion: row.rule_version,
    orderId: row.order_id,
  }));
}

/** The level ids directly before and after an order; null until it was counted. */
export async function orderTierEffect(
  sql: Sql | Tx,
  merchant: Merchant,
  orderId: string,
): Promise<{ before: string | null; after: string | null } | null> {
  const [row] = await sql<{ level_before: string | null; level_after: string | null }[]>`
    SELECT level_before, level_after FROM tier."order" WHERE merchant = ${merchant.id} AND order_id = ${orderId}`;
  return row === undefined ? null : { before: row.level_before, after: row.level_after };
}

/** Sums of the tally of one merchant (UUID) over all partitions. */
export async function tierCounts(sql: Sql | Tx, merchantId: string): Promise<{ events: number; duplicates: number; parked: number }> {
  const [row] = await sql<{ events: bigint; duplicates: bigint; parked: bigint }[]>`
    SELECT coalesce(sum(events), 0)::int8 AS events, coalesce(sum(duplicates), 0)::int8 AS duplicates, coalesce(sum(parked), 0)::int8 AS parked
    FROM tier.tally WHERE scope = ${merchantId}`;
  return { events: Number(row?.events ?? 0), duplicates: Number(row?.duplicates ?? 0), parked: Number(row?.parked ?? 0) };
}

/** Partitions in which a ladder edit of this merchant was not yet applied to every customer. */
export async function pendingEdits(sql: Sql | Tx, merchant: Merchant): Promise<readonly number[]> {
  // A partition is marked until the next sweep has seen it; it is behind only while it has customers of an older ladder.
  const rows = await sql<{ part: number }[]>`
    SELECT e.part FROM tier.edit_pending e WHERE e.merchant = ${merchant.id} AND EXISTS (
      SELECT 1 FROM tier.account a WHERE a.part = e.part AND a.merchant = e.merchant AND a.acct > e.after_acct AND a.known
        AND a.ladder_version < (SELECT max(v.version) FROM tier.ladder_version v WHERE v.merchant = e.merchant))
    ORDER BY e.part`;
  return rows.map(({ part }) => part);
}

/** How many customers hold each level; `null` stands for none. */
export async function customersByLevel(
  sql: Sql | Tx,
  merchant: Merchant,
): Promise<readonly { levelId: string | null; customers: number }[]> {
  const rows = await sql<{ level: string | null; customers: bigint }[]>`
    SELECT level, count(*) AS customers FROM tier.account WHERE merchant = ${merchant.id} AND known GROUP BY level`;
  return rows.map(({ level, customers }) => ({ levelId: level, customers: Number(customers) }));
}
