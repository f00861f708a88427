import type { Sql } from "@perkstream/postgres";
import { orderPrograms } from "../../start/services.ts";
import { type Ledger, remainingOf, type SentOrder } from "../ledger.ts";

interface StoredOrder {
  readonly merchant_id: string;
  readonly order_id: string;
  readonly customer_id: string;
  /** An array literal; null when nothing was refunded. */
  readonly remaining: string | null;
  readonly cancelled: boolean;
}

/** Every acknowledged order is in each program, once, with what was acknowledged of its refunds, and nothing else is. */
export async function checkOrders(sql: Sql, ledger: Ledger): Promise<string[]> {
  const violations: string[] = [];
  for (const program of orderPrograms) {
    const stored = await sql.unsafe<StoredOrder[]>(
      `SELECT m.merchant_id::text AS merchant_id, o.order_id, a.customer_id, o.remaining::text AS remaining, o.cancelled
       FROM ${program}."order" o JOIN merchant.merchant m ON m.id = o.merchant JOIN ${program}.account a ON a.acct = o.acct`,
    );
    const byId = Map.groupBy(stored, (row) => `${row.merchant_id}/${row.order_id}`);
    for (const [id, order] of ledger.orders) {
      const difference = differenceOf(order, byId.get(id) ?? []);
      if (difference !== null) violations.push(`${program}: order ${id} ${difference}`);
      byId.delete(id);
    }
    for (const id of byId.keys()) violations.push(`${program}: order ${id} was never acknowledged as sent`);
    violations.push(...(await checkTotals(sql, program, ledger)));
  }
  return violations;
}

function differenceOf(sent: SentOrder, stored: readonly StoredOrder[]): string | null {
  const [row] = stored;
  if (sent.netMinor === undefined) return "was never acknowledged, only its refund";
  if (row === undefined) return "was acknowledged and is not counted";
  if (stored.length > 1) return `is counted ${stored.length} times`;
  if (row.customer_id !== sent.customerId) return `is counted for ${row.customer_id}, not ${sent.customerId}`;
  if (row.cancelled !== sent.isCancelled) return sent.isCancelled ? "is not cancelled" : "is cancelled";
  const expected = remainingOf(sent).join(",");
  const found = row.remaining === null ? sent.netMinor.join(",") : row.remaining.slice(1, -1);
  return expected === found ? null : `has {${found}} left, {${expected}} was acknowledged`;
}

/** What tier reckons for a customer is the sum of what is left of the customer's orders: an order that counts twice shows here. */
async function checkTotals(sql: Sql, program: string, ledger: Ledger): Promise<string[]> {
  if (program !== "tier") return [];
  const expected = new Map<string, { net: bigint; orders: number }>();
  for (const order of ledger.orders.values()) {
    const id = `${order.merchantId}:${order.customerId}`;
    const total = expected.get(id) ?? { net: 0n, orders: 0 };
    const remaining = remainingOf(order);
    for (const amount of remaining) total.net += amount;
    if (!order.isCancelled && remaining.some((amount) => amount > 0n)) total.orders += 1;
    expected.set(id, total);
  }
  const rows = await sql<{ merchant_id: string; customer_id: string; net: string }[]>`
    SELECT m.merchant_id::text AS merchant_id, a.customer_id, a.net::text AS net
    FROM tier.account a JOIN merchant.merchant m ON m.id = a.merchant`;
  return rows.flatMap(({ merchant_id, customer_id, net }) => {
    const sum = expected.get(`${merchant_id}:${customer_id}`)?.net ?? 0n;
    return String(sum) === net ? [] : [`tier: customer ${merchant_id}:${customer_id} has a net of ${net}, the orders come to ${sum}`];
  });
}
