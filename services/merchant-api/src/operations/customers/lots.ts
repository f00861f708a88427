import { listLots } from "@perkstream/cashback";
import { Refusal } from "../../errors.ts";
import { pageOf, pageQuery } from "../../http/cursor.ts";
import { operation, reply } from "../../operation.ts";
import { customerParams, lot } from "../../schemas/customer.ts";
import { cashbackPage } from "./cashback-page.ts";

export const listCustomerLots = operation({
  method: "get",
  path: "/v1/customers/{customerId}/lots",
  tag: "Customers",
  summary: "The customer's lots, newest first",
  description: "An award of an order by a campaign is one lot: granted = pending + available + reserved + redeemed + expired + reversed.",
  access: { kind: "merchant", role: "viewer" },
  params: customerParams,
  query: pageQuery,
  replies: { 200: { description: "Lots", schema: pageOf(lot) } },
  errors: ["not_found"],
  async handle({ deps, principal: { merchant }, params: { customerId }, query }) {
    const page = await cashbackPage(deps, merchant, customerId, query, (at) => listLots(deps.sql, merchant.id, customerId, at));
    return page instanceof Refusal ? page : reply(200, page);
  },
});
