import { z } from "@hono/zod-openapi";
import { listCaps } from "@perkstream/cashback";
import { Refusal } from "../../errors.ts";
import { decodeCursor, pageFrom, pageOf, pageQuery } from "../../http/cursor.ts";
import { operation, reply } from "../../operation.ts";
import { capUse, customerParams } from "../../schemas/customer.ts";
import { isKnown, unknownCustomer } from "./view.ts";

export const listCustomerCaps = operation({
  method: "get",
  path: "/v1/customers/{customerId}/caps",
  tag: "Customers",
  summary: "What the customer has used of campaigns' caps",
  description: "`period` is a local date, a month such as `2025-01`, or `campaign`.",
  access: { kind: "merchant", role: "viewer" },
  params: customerParams,
  query: pageQuery,
  replies: { 200: { description: "Use of caps, by campaign and period", schema: pageOf(capUse) } },
  errors: ["not_found"],
  async handle({ deps, principal: { merchant }, params: { customerId }, query: { limit, cursor } }) {
    const after = decodeCursor(z.tuple([z.string(), z.string()]), cursor);
    if (after instanceof Refusal) return after;
    const caps = await listCaps(deps.sql, merchant.id, customerId);
    if (caps === undefined && !(await isKnown(deps.sql, merchant, customerId))) return unknownCustomer();
    // Made anew from the orders at every call, so a page is cut here.
    const all = caps ?? [];
    const start = after === null ? 0 : all.findIndex(({ campaignId, period }) => campaignId === after[0] && period === after[1]) + 1;
    return reply(
      200,
      pageFrom(
        all.slice(start, start + limit + 1),
        limit,
        ({ campaignId, period }) => [campaignId, period],
        (cap) => ({ ...cap }),
      ),
    );
  },
});
