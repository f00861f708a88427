import { z } from "@hono/zod-openapi";
import { programs } from "../../composition.ts";
import { operation, reply } from "../../operation.ts";
import { readCounts } from "../../programs.ts";

const counts = z.object({ events: z.int(), duplicates: z.int(), parked: z.int() });
const ofPrograms = Object.fromEntries(programs.map((program) => [program, counts]));

export const getCounts = operation({
  method: "get",
  path: "/v1/dev/counts",
  tag: "Development",
  summary: "What the programs counted of this merchant's events",
  access: { kind: "merchant", role: "viewer" },
  replies: { 200: { description: "Counts", schema: z.object(ofPrograms) } },
  developmentOnly: true,
  async handle({
    deps,
    principal: {
      merchant: { merchantId },
    },
  }) {
    const counted = programs.map(async (program) => [program, await readCounts(deps.sql, program, merchantId)] as const);
    return reply(200, Object.fromEntries(await Promise.all(counted)));
  },
});
