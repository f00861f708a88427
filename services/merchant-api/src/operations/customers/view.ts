import { cashbackOf, noCashback } from "@perkstream/cashback";
import { currentSettings, type Merchant } from "@perkstream/merchant";
import type { Sql, Tx } from "@perkstream/postgres";
import { type CustomerTier, customerTiers, type LadderJson, newestLadder } from "@perkstream/tier";
import { refuse, type Refusal } from "../../errors.ts";
import type { CustomerShape } from "../../schemas/customer.ts";
import { iso } from "../../schemas/time.ts";

export const unknownCustomer = (): Refusal =>
  refuse("not_found", "there is no such customer: no order was counted and no command accepted");

/**
 * Those of the customers that a program knows, in the given order, as of `now` (ms). Reads show what is stored and apply
 * nothing that is due; who is known to one program only has zeros of the other.
 */
export async function showCustomers(
  sql: Sql | Tx,
  merchant: Merchant,
  customerIds: readonly string[],
  now: number,
): Promise<CustomerShape[]> {
  const [tiers, balances] = await Promise.all([customerTiers(sql, merchant, customerIds, now), cashbackOf(sql, merchant.id, customerIds)]);
  const tierOf = new Map(tiers.map((one) => [one.customerId, one]));
  const known = customerIds.filter((id) => tierOf.has(id) || balances.has(id));
  const withoutTier = known.some((id) => !tierOf.has(id)) ? noTier(await newestLadder(sql, merchant.id)) : null;
  const { currency } = currentSettings(merchant);
  return known.map((customerId) => {
    const { tier, metric, lastPeriodMetric, nextTier } = tierOf.get(customerId) ?? withoutTier ?? noTier(null);
    return {
      customerId,
      tier: tier === null ? null : { ...tier, since: iso(tier.since) },
      metric,
      lastPeriodMetric,
      nextTier,
      cashback: { ...(balances.get(customerId) ?? noCashback), currency },
    };
  });
}

/** One customer, also the one that a command of this transaction made known. */
export async function requireCustomer(sql: Sql | Tx, merchant: Merchant, customerId: string, now: number): Promise<CustomerShape> {
  const [customer] = await showCustomers(sql, merchant, [customerId], now);
  if (customer === undefined) throw new Error("the customer of an accepted command is not known");
  return customer;
}

/** A customer without a single order, as the tier program would show it. */
function noTier(ladder: LadderJson | null): Omit<CustomerTier, "customerId"> {
  const lowest = ladder?.levels[0];
  const yearly = ladder?.settings.window === "calendar_year" || ladder?.settings.window === "anniversary_year";
  return {
    tier: null,
    metric: 0,
    lastPeriodMetric: yearly ? 0 : null,
    nextTier: lowest === undefined ? null : { id: lowest.id, name: lowest.name, missing: lowest.threshold },
  };
}

/** True when an order was counted or a command accepted, by either program. */
export async function isKnown(sql: Sql, merchant: Merchant, customerId: string): Promise<boolean> {
  const rows = await sql`
    SELECT 1 FROM tier.account WHERE merchant = ${merchant.id} AND customer_id = ${customerId} AND known
    UNION ALL SELECT 1 FROM cashback.account WHERE merchant = ${merchant.id} AND customer_id = ${customerId} AND known LIMIT 1`;
  return rows.length > 0;
}

/** The customers of one page, by customerId ascending (byte order). */
export async function customerIdsAfter(sql: Sql, merchant: Merchant, after: string, limit: number): Promise<string[]> {
  const rows = await sql<{ customer_id: string }[]>`
    SELECT customer_id FROM (
      (SELECT customer_id FROM tier.account WHERE merchant = ${merchant.id} AND known AND customer_id COLLATE "C" > ${after}
       ORDER BY customer_id COLLATE "C" LIMIT ${limit}::int4)
      UNION
      (SELECT customer_id COLLATE "C" FROM cashback.account WHERE merchant = ${merchant.id} AND known AND customer_id COLLATE "C" > ${after}
       ORDER BY customer_id COLLATE "C" LIMIT ${limit}::int4)
    ) AS both_programs ORDER BY customer_id COLLATE "C" LIMIT ${limit}::int4`;
  return rows.map((row) => row.customer_id);
}
