import { z } from "@hono/zod-openapi";
import { tierHistory } from "@perkstream/tier";
import { Refusal } from "../../errors.ts";
import { decodeCursor, pageFrom, pageOf, pageQuery } from "../../http/cursor.ts";
import { operation, reply } from "../../operation.ts";
import { customerParams, tierHistoryEntry } from "../../schemas/customer.ts";
import { iso } from "../../schemas/time.ts";
import { isKnown, unknownCustomer } from "./view.ts";

export const listTierHistory = operation({
  method: "get",
  path: "/v1/customers/{customerId}/tier-history",
  tag: "Customers",
  summary: "Every change of the customer's level, newest first",
  access: { kind: "merchant", role: "viewer" },
  params: customerParams,
  query: pageQuery,
  replies: { 200: { description: "Changes; from and to are level ids or null", schema: pageOf(tierHistoryEntry) } },
  errors: ["not_found"],
  async handle({ deps, principal: { merchant }, params: { customerId }, query: { limit, cursor } }) {
    const after = decodeCursor(z.tuple([z.int()]), cursor);
    if (after instanceof Refusal) return after;
    const rows = await tierHistory(deps.sql, merchant, customerId, { before: after?.[0], limit: limit + 1 });
    if (rows === null && !(await isKnown(deps.sql, merchant, customerId))) return unknownCustomer();
    return reply(
      200,
      pageFrom(
        rows ?? [],
        limit,
        ({ seq }) => [seq],
        ({ seq: _seq, asOf, ...entry }) => ({ ...entry, asOf: iso(asOf) }),
      ),
    );
  },
});
