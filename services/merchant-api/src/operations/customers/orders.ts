import { z } from "@hono/zod-openapi";
import type { Merchant } from "@perkstream/merchant";
import { parseMinorArray, type Sql } from "@perkstream/postgres";
import { Refusal } from "../../errors.ts";
import { decodeCursor, pageFrom, pageOf, pageQuery } from "../../http/cursor.ts";
import type { Records } from "../../kafka/records.ts";
import { operation, reply } from "../../operation.ts";
import { customerParams } from "../../schemas/customer.ts";
import { customerOrder } from "../../schemas/order.ts";
import { text } from "../../schemas/values.ts";
import { isKnown, unknownCustomer } from "./view.ts";

interface OrderRow {
  readonly order_id: string;
  readonly occurred_at: Date;
  readonly payload: Buffer;
  readonly remaining: string | null;
  readonly cancelled: boolean;
}

export const listCustomerOrders = operation({
  method: "get",
  path: "/v1/customers/{customerId}/orders",
  tag: "Customers",
  summary: "The customer's counted orders, newest first",
  access: { kind: "merchant", role: "viewer" },
  params: customerParams,
  query: pageQuery,
  replies: { 200: { description: "Orders that both programs have counted", schema: pageOf(customerOrder) } },
  errors: ["not_found"],
  async handle({ deps, principal: { merchant }, params: { customerId }, query: { limit, cursor } }) {
    const after = decodeCursor(z.tuple([z.int(), text(64, 1)]), cursor);
    if (after instanceof Refusal) return after;
    const rows = await readOrders(deps.sql, merchant, customerId, after, limit + 1);
    if (rows.length === 0 && !(await isKnown(deps.sql, merchant, customerId))) return unknownCustomer();
    await deps.records.storedOrders.prepare(rows.map(({ payload }) => payload));
    return reply(
      200,
      pageFrom(
        rows,
        limit,
        (row) => [row.occurred_at.getTime(), row.order_id],
        (row) => showOrder(deps.records, row),
      ),
    );
  },
});

async function readOrders(
  sql: Sql,
  merchant: Merchant,
  customerId: string,
  after: readonly [number, string] | null,
  limit: number,
): Promise<OrderRow[]> {
  const [at, orderId] = after ?? [8_640_000_000_000, ""];
  return sql<OrderRow[]>`
    SELECT o.order_id, o.occurred_at, o.payload, o.remaining, o.cancelled
    FROM cashback.account a JOIN cashback."order" o USING (acct)
    WHERE a.merchant = ${merchant.id} AND a.customer_id = ${customerId}
      AND (o.occurred_at, o.order_id COLLATE "C") < (${new Date(at).toISOString()}::timestamptz, ${orderId})
      AND EXISTS (SELECT 1 FROM tier."order" t WHERE t.merchant = o.merchant AND t.order_id = o.order_id)
    ORDER BY o.occurred_at DESC, o.order_id COLLATE "C" DESC LIMIT ${limit}::int4`;
}

function showOrder(records: Records, row: OrderRow) {
  const decoded = records.storedOrders.decode(row.payload);
  if (!decoded.ok || decoded.event.type !== "OrderPlaced") throw new Error(`order ${row.order_id} does not decode`);
  const netMinor = decoded.event.lines.reduce((sum, line) => sum + line.netMinor, 0n);
  const remainingMinor = row.remaining === null ? netMinor : parseMinorArray(row.remaining).reduce((sum, one) => sum + one, 0n);
  return { orderId: row.order_id, occurredAt: row.occurred_at.toISOString(), netMinor, remainingMinor, cancelled: row.cancelled };
}
