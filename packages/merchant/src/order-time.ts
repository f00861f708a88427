import { fromSet, type Sql, type Tx } from "@perkstream/postgres";
import { KEPT_MS } from "./idempotency.ts";

const TIME = { order_id: "text", occurred_at: "timestamptz" } as const;

/**
 * The `occurredAt` (ms) to send for each order, by order id: what the request names, else the first one that was answered
 * for this id within 24 h, else `at`. Stored before producing, by one statement, so that a repeated POST makes the same event.
 * An id may come several times; the first one counts.
 */
export async function orderTimes(
  tx: Tx | Sql,
  merchant: number,
  orders: readonly { readonly orderId: string; readonly occurredAt: number | null }[],
  at: number,
): Promise<Map<string, number>> {
  const asked = new Map<string, number>();
  for (const { orderId, occurredAt } of orders) if (!asked.has(orderId)) asked.set(orderId, occurredAt ?? at);
  if (asked.size === 0) return new Map();
  const rows = [...asked].map(([orderId, occurredAt]) => ({ order_id: orderId, occurred_at: occurredAt }));
  const set = fromSet(TIME, rows, 4);
  const stored = await tx.unsafe<{ order_id: string; occurred_at: Date }[]>(
    `INSERT INTO merchant.order_time AS t (merchant, order_id, occurred_at, answered_at)
     SELECT $1::int4, r.order_id, r.occurred_at, $2::timestamptz FROM ${set.text} AS r ORDER BY r.order_id
     ON CONFLICT (merchant, order_id) DO UPDATE SET
       occurred_at = CASE WHEN t.answered_at < $3::timestamptz THEN excluded.occurred_at ELSE t.occurred_at END,
       answered_at = CASE WHEN t.answered_at < $3::timestamptz THEN excluded.answered_at ELSE t.answered_at END
     RETURNING order_id, occurred_at`,
    [merchant, new Date(at).toISOString(), new Date(at - KEPT_MS).toISOString(), ...set.params],
    { prepare: true },
  );
  const times = new Map(stored.map((row) => [row.order_id, row.occurred_at.getTime()]));
  for (const { orderId, occurredAt } of orders) if (occurredAt !== null) times.set(orderId, occurredAt);
  return times;
}
