import { operation } from "../../operation.ts";
import { customerParams, customerShape } from "../../schemas/customer.ts";
import { pinBody } from "../../schemas/pin.ts";
import { commandTier } from "./command.ts";

export const pinCustomer = operation({
  method: "put",
  path: "/v1/customers/{customerId}/pin",
  tag: "Pins",
  summary: "Pins a customer to a level",
  description: "Neither orders, refunds, time nor rule changes move a pinned customer. A second pin replaces the first.",
  access: { kind: "merchant", role: "operator" },
  command: true,
  params: customerParams,
  body: pinBody,
  replies: { 200: { description: "The customer after it", schema: customerShape } },
  errors: ["unknown_level"],
  handle: (call) => commandTier(call, { kind: "pin", levelId: call.body.levelId, note: call.body.reason, untilAt: call.body.until }),
});
