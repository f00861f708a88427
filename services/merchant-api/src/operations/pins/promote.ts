import { operation } from "../../operation.ts";
import { customerParams, customerShape } from "../../schemas/customer.ts";
import { moveBody } from "../../schemas/pin.ts";
import { commandTier } from "./command.ts";

export const promoteCustomer = operation({
  method: "post",
  path: "/v1/customers/{customerId}/promote",
  tag: "Pins",
  summary: "Promotes a customer by one level and pins it",
  access: { kind: "merchant", role: "operator" },
  command: true,
  params: customerParams,
  body: moveBody,
  idempotent: true,
  replies: { 200: { description: "The customer after it", schema: customerShape } },
  errors: ["no_such_level"],
  handle: (call) => commandTier(call, { kind: "promote", note: call.body.reason, untilAt: call.body.until }),
});
