import { z } from "@hono/zod-openapi";
import { refuse } from "../../errors.ts";
import { limits } from "../../http/limits.ts";
import { operation, reply } from "../../operation.ts";
import { defaulting, offsetOut } from "../../schemas/values.ts";
import { settle } from "../../settle.ts";
import { behindLadder } from "../tiers/progress.ts";

const DEFAULT_TIMEOUT_SECONDS = 30;
const MAX_POSITIONS = 100_000;

export const settleNow = operation({
  method: "post",
  path: "/v1/dev/settle",
  tag: "Development",
  summary: "Waits until everything sent before the call is visible everywhere",
  description:
    "All programs have handled these offsets, rule changes are applied to every customer, and their notifications are in the inbox. 504 `not_settled` names what is behind.",
  access: { kind: "merchant", role: "viewer" },
  body: z.object({
    positions: defaulting(z.array(z.object({ partition: offsetOut, offset: offsetOut })).max(MAX_POSITIONS), []),
    timeoutSeconds: defaulting(z.number().positive().max(limits.settleTimeoutSeconds), DEFAULT_TIMEOUT_SECONDS),
  }),
  replies: { 200: { description: "Settled", schema: z.object({}) } },
  errors: ["not_settled"],
  developmentOnly: true,
  answerMs: (limits.settleTimeoutSeconds + 5) * 1_000,
  async handle({ deps, principal, body: { positions, timeoutSeconds } }) {
    const last = new Map<number, number>();
    for (const { partition, offset } of positions) last.set(partition, Math.max(offset, last.get(partition) ?? 0));
    const behind = await settle({
      sql: deps.sql,
      orderLog: deps.orderLog,
      positions: [...last].map(([partition, offset]) => ({ partition, offset })),
      also: () => behindLadder(deps.sql, principal.merchant),
      timeoutMs: timeoutSeconds * 1_000,
    });
    return behind === null ? reply(200, {}) : refuse("not_settled", behind);
  },
});
