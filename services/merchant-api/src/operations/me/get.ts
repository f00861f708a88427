import { operation, reply } from "../../operation.ts";
import { customerShape } from "../../schemas/customer.ts";
import { showCustomers, unknownCustomer } from "../customers/view.ts";

export const getMine = operation({
  method: "get",
  path: "/v1/me",
  tag: "Customer's own",
  summary: "The customer of the token",
  access: { kind: "customer" },
  replies: { 200: { description: "The customer", schema: customerShape } },
  errors: ["not_found"],
  async handle({ deps, principal, now }) {
    const [customer] = await showCustomers(deps.sql, principal.merchant, [principal.customerId], now);
    return customer === undefined ? unknownCustomer() : reply(200, customer);
  },
});
