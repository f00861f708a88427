import { z } from "@hono/zod-openapi";
import { listCustomerTiers } from "@perkstream/tier";
import { Refusal } from "../../errors.ts";
import { decodeCursor, pageFrom, pageOf, pageQuery } from "../../http/cursor.ts";
import { operation, reply } from "../../operation.ts";
import { customerShape } from "../../schemas/customer.ts";
import { text } from "../../schemas/values.ts";
import { customerIdsAfter, showCustomers } from "./view.ts";

export const listCustomers = operation({
  method: "get",
  path: "/v1/customers",
  tag: "Customers",
  summary: "Customers by customerId",
  access: { kind: "merchant", role: "viewer" },
  query: pageQuery.extend({ tier: text(64).optional().openapi({ description: "Only those who hold this level id." }) }),
  replies: { 200: { description: "Customers, by customerId ascending in byte order", schema: pageOf(customerShape) } },
  async handle({ deps, principal: { merchant }, query: { limit, cursor, tier }, now }) {
    const position = decodeCursor(z.tuple([text(64, 1)]), cursor);
    if (position instanceof Refusal) return position;
    const after = position?.[0] ?? "";
    const ids =
      tier === undefined
        ? await customerIdsAfter(deps.sql, merchant, after, limit + 1)
        : (await listCustomerTiers(deps.sql, merchant, { tier, after, limit: limit + 1 }, now)).map(({ customerId }) => customerId);
    const customers = await showCustomers(deps.sql, merchant, ids, now);
    return reply(
      200,
      pageFrom(
        customers,
        limit,
        ({ customerId }) => [customerId],
        (customer) => customer,
      ),
    );
  },
});
