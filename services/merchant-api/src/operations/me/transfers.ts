import { listTransfers } from "@perkstream/cashback";
import { Refusal } from "../../errors.ts";
import { pageOf, pageQuery } from "../../http/cursor.ts";
import { operation, reply } from "../../operation.ts";
import { transfer } from "../../schemas/customer.ts";
import { cashbackPage } from "../customers/cashback-page.ts";

export const listMyTransfers = operation({
  method: "get",
  path: "/v1/me/transfers",
  tag: "Customer's own",
  summary: "The customer's ledger, newest first",
  access: { kind: "customer" },
  query: pageQuery,
  replies: { 200: { description: "Transfers", schema: pageOf(transfer) } },
  errors: ["not_found"],
  async handle({ deps, principal: { merchant, customerId }, query }) {
    const page = await cashbackPage(deps, merchant, customerId, query, (at) => listTransfers(deps.sql, merchant.id, customerId, at));
    return page instanceof Refusal ? page : reply(200, page);
  },
});
