import { z } from "@hono/zod-openapi";
import { operation, reply } from "../../operation.ts";
import { refundAccepted, refundBody } from "../../schemas/order.ts";
import { id } from "../../schemas/values.ts";
import { appendOne, sendOnce } from "./append.ts";
import { refundedEvent } from "./events.ts";

export const refundOrder = operation({
  method: "post",
  path: "/v1/orders/{orderId}/refunds",
  tag: "Orders",
  summary: "Sends a refund of lines of an order",
  description: "A refundId counts once per order. A refund that comes before its order waits for it.",
  access: { kind: "merchant", role: "operator" },
  params: z.object({ orderId: id }),
  body: refundBody,
  idempotent: true,
  replies: { 202: { description: "Acknowledged by Kafka", schema: refundAccepted } },
  async handle(call) {
    const { principal, params, body, now } = call;
    return sendOnce(call, async () => {
      const position = await appendOne(call, refundedEvent(principal.merchant, params.orderId, body, now));
      return reply(202, { orderId: params.orderId, refundId: body.refundId, ...position });
    });
  },
});
