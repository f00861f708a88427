import { fromSet, type Sql, type Tx } from "@perkstream/postgres";
import { isUuid, type Customer } from "./customer.ts";
import { inboxTopic } from "./program.ts";

/** "Read up to here." `origin` is the session that said so, or empty: everyone else is told. */
export interface Ack extends Customer {
  readonly partition: number;
  readonly offset: number;
  readonly origin: string;
}

/** Postgres channel on which every acknowledgement that moved something is announced (JSON of `Ack`). */
export const ackChannel = "perkstream_ack";

/**
 * Stores acknowledgements by one statement, each the greater of what is there and what is given, and announces
 * those that moved. At most one per customer. An ack may be the first that is heard of a customer: a live
 * notification can be acknowledged before the inbox has stored it.
 * @returns what moved
 */
export async function storeAcks(sql: Sql | Tx, acks: readonly Ack[]): Promise<readonly Ack[]> {
  if (acks.length === 0) return [];
  const sorted = acks.toSorted((a, b) => compare(a.merchant, b.merchant) || compare(a.customerId, b.customerId));
  const set = fromSet(
    { merchant: "uuid", customer_id: "text", part: "int4", acked: "int8", origin: "text" },
    sorted.map((ack) => ({
      merchant: ack.merchant,
      customer_id: ack.customerId,
      part: ack.partition,
      acked: ack.offset,
      origin: ack.origin,
    })),
  );
  const rows = await sql.unsafe<{ merchant: string; customer_id: string; part: number; acked: bigint; origin: string }[]>(
    `WITH given AS MATERIALIZED (SELECT * FROM ${set.text} AS r),
     moved AS (
       INSERT INTO inbox.account AS a (merchant, customer_id, part, acked)
       SELECT merchant, customer_id, part, acked FROM given
       ON CONFLICT (merchant, customer_id) DO UPDATE SET acked = EXCLUDED.acked
       WHERE a.part = EXCLUDED.part AND (a.acked IS NULL OR a.acked < EXCLUDED.acked)
       RETURNING a.merchant, a.customer_id, a.part, a.acked)
     SELECT m.merchant, m.customer_id, m.part, m.acked, g.origin,
       pg_notify('${ackChannel}', json_build_array(m.merchant, m.customer_id, m.part, m.acked, g.origin)::text)
     FROM moved m JOIN given g USING (merchant, customer_id)`,
    set.params,
    { prepare: true },
  );
  return rows.map((row) => ({
    merchant: row.merchant,
    customerId: row.customer_id,
    partition: row.part,
    offset: Number(row.acked),
    origin: row.origin,
  }));
}

export type AckResult = "acknowledged" | "unknown_cursor";

/**
 * POST /v1/me/notifications/ack: like an ack of a device, cut to what the inbox has stored.
 * @returns unknown_cursor when the partition is not the customer's
 */
export async function acknowledge(
  sql: Sql,
  customer: Customer,
  cursor: { readonly partition: number; readonly offset: number },
  topic = inboxTopic,
): Promise<AckResult> {
  const [row] = await sql<{ part: number; last: bigint }[]>`
    SELECT a.part, p.next_off - 1 AS last
    FROM inbox.account a JOIN inbox.progress p ON p.topic = ${topic} AND p.part = a.part
    WHERE a.merchant = ${customer.merchant}::uuid AND a.customer_id = ${customer.customerId}`;
  if (row === undefined) return "acknowledged"; // nothing was ever sent, so nothing can be unread
  if (row.part !== cursor.partition) return "unknown_cursor";
  await storeAcks(sql, [{ ...customer, partition: row.part, offset: Math.min(cursor.offset, Number(row.last)), origin: "" }]);
  return "acknowledged";
}

/** The acknowledgement in a payload of `ackChannel`, or null when it is none. */
export function parseAck(payload: string): Ack | null {
  let given: unknown;
  try {
    given = JSON.parse(payload);
  } catch {
    return null;
  }
  if (!Array.isArray(given)) return null;
  const [merchant, customerId, partition, offset, origin]: unknown[] = given;
  if (typeof merchant !== "string" || !isUuid(merchant) || typeof customerId !== "string") return null;
  if (typeof partition !== "number" || typeof offset !== "number" || typeof origin !== "string") return null;
  return { merchant, customerId, partition, offset, origin };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
