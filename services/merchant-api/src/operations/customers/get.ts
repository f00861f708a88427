import { operation, reply } from "../../operation.ts";
import { customerParams, customerShape } from "../../schemas/customer.ts";
import { showCustomers, unknownCustomer } from "./view.ts";

export const getCustomer = operation({
  method: "get",
  path: "/v1/customers/{customerId}",
  tag: "Customers",
  summary: "A customer: tier, progress to the next, cashback",
  description:
    "Shows what is stored; nothing that is due is applied. The metric is of the window that ends on the local date of the request's clock.",
  access: { kind: "merchant", role: "viewer" },
  params: customerParams,
  replies: { 200: { description: "The customer", schema: customerShape } },
  errors: ["not_found"],
  async handle({ deps, principal, params, now }) {
    const [customer] = await showCustomers(deps.sql, principal.merchant, [params.customerId], now);
    return customer === undefined ? unknownCustomer() : reply(200, customer);
  },
});
