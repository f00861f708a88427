import { randomUUID } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { topics } from "@perkstream/contracts";
import { programs } from "../../composition.ts";
import type { Deps } from "../../deps.ts";
import { refuse } from "../../errors.ts";
import { limits } from "../../http/limits.ts";
import { operation, reply } from "../../operation.ts";
import { forgetSweep, openSweeps, requestSweep } from "../../programs.ts";
import { instant } from "../../schemas/time.ts";
import { settle, until } from "../../settle.ts";

export const sweep = operation({
  method: "post",
  path: "/v1/dev/sweep",
  tag: "Development",
  summary: "All programs do what time causes for this merchant, as if it were `at`",
  description: "Answers when it is done and its notifications are in the inbox. What was sent before the call is read first.",
  access: { kind: "merchant", role: "operator" },
  body: z.object({ at: instant }),
  replies: { 200: { description: "Done", schema: z.object({}) } },
  errors: ["not_settled"],
  developmentOnly: true,
  answerMs: (limits.settleTimeoutSeconds + 5) * 1_000,
  async handle({
    deps,
    principal: {
      merchant: { merchantId },
    },
    body: { at },
  }) {
    const timeoutMs = limits.settleTimeoutSeconds * 1_000;
    const deadline = performance.now() + timeoutMs;
    const ends = await deps.orderLog.ends(topics.orders);
    const id = randomUUID();
    const request = { id, merchantId, at, afterOffsets: ends };
    await Promise.all(programs.map((program) => requestSweep(deps.sql, program, request)));
    const behind =
      (await until(deadline, () => behindSweep(deps, id))) ??
      (await settle({
        sql: deps.sql,
        orderLog: deps.orderLog,
        positions: [],
        also: () => Promise.resolve(null),
        timeoutMs: deadline - performance.now(),
      }));
    if (behind !== null) return refuse("not_settled", behind);
    await Promise.all(programs.map((program) => forgetSweep(deps.sql, program, id)));
    return reply(200, {});
  },
});

async function behindSweep(deps: Deps, id: string): Promise<string | null> {
  for (const program of programs) {
    const open = await openSweeps(deps.sql, program, id);
    if (open.length > 0) return `${program} has not swept partition ${open.join(", ")}`;
  }
  return null;
}
