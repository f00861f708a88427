import { listTransfers } from "@perkstream/cashback";
import { Refusal } from "../../errors.ts";
import { pageOf, pageQuery } from "../../http/cursor.ts";
import { operation, reply } from "../../operation.ts";
import { customerParams, transfer } from "../../schemas/customer.ts";
import { cashbackPage } from "./cashback-page.ts";

export const listCustomerTransfers = operation({
  method: "get",
  path: "/v1/customers/{customerId}/transfers",
  tag: "Customers",
  summary: "The customer's ledger, newest first",
  description: "One row per lot and pair of accounts; orderId and campaignId name the lot.",
  access: { kind: "merchant", role: "viewer" },
  params: customerParams,
  query: pageQuery,
  replies: { 200: { description: "Transfers", schema: pageOf(transfer) } },
  errors: ["not_found"],
  async handle({ deps, principal: { merchant }, params: { customerId }, query }) {
    const page = await cashbackPage(deps, merchant, customerId, query, (at) => listTransfers(deps.sql, merchant.id, customerId, at));
    return page instanceof Refusal ? page : reply(200, page);
  },
});
