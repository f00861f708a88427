import { z } from "@hono/zod-openapi";
import { acknowledge, parseCursor } from "@perkstream/inbox";
import { invalidField } from "../../errors.ts";
import { operation, reply } from "../../operation.ts";

export const acknowledgeMine = operation({
  method: "post",
  path: "/v1/me/notifications/ack",
  tag: "Customer's own",
  summary: "Marks everything up to a notification as read, on all devices",
  access: { kind: "customer" },
  body: z.object({ cursor: z.string().max(64) }),
  replies: { 204: { description: "Read", schema: null } },
  async handle({ deps, principal, body }) {
    const cursor = parseCursor(body.cursor);
    if (cursor === null) return invalidField("cursor", "must be <partition>:<offset>");
    const customer = { merchant: principal.merchant.merchantId, customerId: principal.customerId };
    const result = await acknowledge(deps.sql, customer, cursor);
    return result === "unknown_cursor" ? invalidField("cursor", "is of another partition") : reply(204, null);
  },
});
