import { operation } from "../../operation.ts";
import { customerParams, customerShape } from "../../schemas/customer.ts";
import { commandTier } from "./command.ts";

export const unpinCustomer = operation({
  method: "delete",
  path: "/v1/customers/{customerId}/pin",
  tag: "Pins",
  summary: "Ends a pin",
  description: "The customer is evaluated afresh; nothing from before the pin is remembered.",
  access: { kind: "merchant", role: "operator" },
  command: true,
  params: customerParams,
  replies: { 200: { description: "The customer after it", schema: customerShape } },
  errors: ["not_pinned"],
  handle: (call) => commandTier(call, { kind: "unpin" }),
});
