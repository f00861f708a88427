import { orderTimes } from "@perkstream/merchant";
import { operation, reply } from "../../operation.ts";
import { accepted, orderBody } from "../../schemas/order.ts";
import { appendOne, linkAndSend } from "./append.ts";
import { placedEvent } from "./events.ts";
import { paidBy } from "./paid.ts";

export const placeOrder = operation({
  method: "post",
  path: "/v1/orders",
  tag: "Orders",
  summary: "Sends an order",
  description: `Answers once Kafka has acknowledged it; the programs count it then. The same order again is counted once.
Without \`occurredAt\` it is the clock's, or the one that this id was answered with within 24 hours.`,
  access: { kind: "merchant", role: "operator" },
  body: orderBody,
  idempotent: true,
  replies: { 202: { description: "Acknowledged by Kafka", schema: accepted } },
  errors: ["not_found", "not_reserved"],
  async handle(call) {
    const { deps, principal, body, now } = call;
    const send = async (paidMinor: bigint) => {
      // Committed before producing, by a statement of its own: a repeat after a crash makes the same event.
      const times = await orderTimes(deps.sql, principal.merchant.id, [body], now);
      const event = placedEvent(principal.merchant, body, times.get(body.orderId) ?? now, paidMinor);
      return reply(202, { orderId: body.orderId, ...(await appendOne(call, event)) });
    };
    return linkAndSend(call, body.redemptionId !== null, () => paidBy(call, body), send);
  },
});
