import { z } from "@hono/zod-openapi";
import { operation, reply } from "../../operation.ts";
import { accepted, cancelBody } from "../../schemas/order.ts";
import { id } from "../../schemas/values.ts";
import { appendOne, sendOnce } from "./append.ts";
import { cancelledEvent } from "./events.ts";

export const cancelOrder = operation({
  method: "post",
  path: "/v1/orders/{orderId}/cancel",
  tag: "Orders",
  summary: "Sends the cancellation of an order",
  description: "Everything of the order that is not refunded yet goes back.",
  access: { kind: "merchant", role: "operator" },
  params: z.object({ orderId: id }),
  body: cancelBody,
  idempotent: true,
  replies: { 202: { description: "Acknowledged by Kafka", schema: accepted } },
  async handle(call) {
    const { principal, params, body, now } = call;
    return sendOnce(call, async () => {
      const position = await appendOne(call, cancelledEvent(principal.merchant, params.orderId, body, now));
      return reply(202, { orderId: params.orderId, ...position });
    });
  },
});
