import { z } from "@hono/zod-openapi";
import { findOrder } from "@perkstream/cashback";
import { orderTierEffect } from "@perkstream/tier";
import { refuse } from "../../errors.ts";
import { operation, reply } from "../../operation.ts";
import { orderShape } from "../../schemas/order.ts";
import { id } from "../../schemas/values.ts";

export const getOrder = operation({
  method: "get",
  path: "/v1/orders/{orderId}",
  tag: "Orders",
  summary: "An order: what remains, its awards with why, its tier effect",
  access: { kind: "merchant", role: "viewer" },
  params: z.object({ orderId: id }),
  replies: { 200: { description: "The order", schema: orderShape } },
  errors: ["not_found"],
  async handle({ deps, principal: { merchant }, params: { orderId } }) {
    const [tier, order] = await Promise.all([
      orderTierEffect(deps.sql, merchant, orderId),
      findOrder(deps.sql, deps.records.storedOrders, merchant.id, orderId),
    ]);
    if (tier === null || order === undefined) return refuse("not_found", "this order is not counted by both programs");
    return reply(200, { ...order, tier });
  },
});
