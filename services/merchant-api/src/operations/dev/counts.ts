import { z } from "@hono/zod-openapi";
import { operation, reply } from "../../operation.ts";
import { readCounts } from "../../programs.ts";

const counts = z.object({ events: z.int(), duplicates: z.int(), parked: z.int() });

export const getCounts = operation({
  method: "get",
  path: "/v1/dev/counts",
  tag: "Development",
  summary: "What the programs counted of this merchant's events",
  access: { kind: "merchant", role: "viewer" },
  replies: { 200: { description: "Counts", schema: z.object({ tier: counts, cashback: counts }) } },
  developmentOnly: true,
  async handle({
    deps,
    principal: {
      merchant: { merchantId },
    },
  }) {
    const [tier, cashback] = await Promise.all([readCounts(deps.sql, "tier", merchantId), readCounts(deps.sql, "cashback", merchantId)]);
    return reply(200, { tier, cashback });
  },
});
