import { limits } from "../../http/limits.ts";
import { randomUUID } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { operation } from "../../operation.ts";
import { editQuery, ladderBody, ladderShape, previewShape } from "../../schemas/ladder.ts";
import { editLadder } from "./edit.ts";
import { ladderFrom } from "./ladder.ts";

export const replaceLadder = operation({
  method: "put",
  path: "/v1/tiers",
  tag: "Tiers",
  summary: "Replaces the ladder",
  description: `Every accepted edit is a new version. It is stored at once; each customer is then evaluated before anything else touches that customer, the others in the background.
\`apply=grandfather\`: nobody falls before the validity that they have. A removed level's customers fall to what they qualify for. \`?preview=true\` answers how many would go up, down or stay.`,
  access: { kind: "merchant", role: "owner" },
  command: true,
  answerMs: limits.longAnswerMs,
  query: editQuery,
  body: ladderBody,
  ifMatch: "required",
  replies: { 200: { description: "The new ladder, or the preview", schema: z.union([ladderShape, previewShape]) } },
  handle: (call) => editLadder(call, 200, () => ladderFrom(call.body, randomUUID)),
});
