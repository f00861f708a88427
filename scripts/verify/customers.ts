import type { Merchant } from "@perkstream/merchant";
import type { Group, RowStream, Snapshot } from "@perkstream/verify";

/** A customer of any program, in the order in which all streams give customers. */
export interface CustomerRow {
  readonly merchant: number;
  readonly customer_id: string;
  /** Surrogate ids; null in a program that does not know the customer. */
  readonly tier: bigint | null;
  readonly cashback: bigint | null;
}

/** What the server may sort at once: merchants are taken together up to so many customers, a larger one by itself. */
const CUSTOMERS_AT_ONCE = 50_000;

/** Merchants in groups whose customers are read together. */
export async function groupsOf(snapshot: Snapshot, merchants: readonly Merchant[]): Promise<{ groups: Group[]; customers: number }> {
  const rows = await snapshot.tx.unsafe<{ merchant: number; customers: bigint }[]>(
    `SELECT merchant, max(customers) AS customers FROM (
       SELECT merchant, count(*) AS customers FROM tier.account GROUP BY 1 UNION ALL SELECT merchant, count(*) FROM cashback.account GROUP BY 1) AS counts
     WHERE merchant = ANY($1::int4[]) GROUP BY 1`,
    [`{${merchants.map(({ id }) => id).join(",")}}`],
  );
  const counts = new Map(rows.map((row) => [row.merchant, Number(row.customers)]));
  const groups: number[][] = [];
  let held = Number.POSITIVE_INFINITY;
  let customers = 0;
  for (const { id } of merchants) {
    const count = counts.get(id) ?? 0;
    customers += count;
    if (held + count > CUSTOMERS_AT_ONCE) {
      groups.push([]);
      held = 0;
    }
    groups.at(-1)?.push(id);
    held += count;
  }
  return { groups, customers };
}

/** Everybody that a program, the inbox or an outbox knows. */
export function openCustomers(snapshot: Snapshot, group: Group): RowStream<CustomerRow> {
  const ids = `'{${group.join(",")}}'::int4[]`;
  const outbox = (program: string) =>
    `SELECT m.id, substr(o.key, 38), NULL::int8, NULL::int8 FROM ${program}.outbox o JOIN merchant.merchant m ON m.merchant_id::text = left(o.key, 36) WHERE m.id = ANY(${ids})`;
  return snapshot.open<CustomerRow>(
    `SELECT k.merchant, k.customer_id COLLATE "C" AS customer_id, max(k.tier) AS tier, max(k.cashback) AS cashback FROM (
       SELECT merchant, customer_id COLLATE "C" AS customer_id, acct AS tier, NULL::int8 AS cashback FROM tier.account WHERE merchant = ANY(${ids})
       UNION ALL SELECT merchant, customer_id, NULL::int8, acct FROM cashback.account WHERE merchant = ANY(${ids})
       UNION ALL SELECT m.id, i.customer_id, NULL::int8, NULL::int8 FROM inbox.account i JOIN merchant.merchant m ON m.merchant_id = i.merchant WHERE m.id = ANY(${ids})
       UNION ALL ${outbox("tier")} UNION ALL ${outbox("cashback")}) AS k
     GROUP BY k.merchant, k.customer_id COLLATE "C" ORDER BY 1, 2`,
  );
}
