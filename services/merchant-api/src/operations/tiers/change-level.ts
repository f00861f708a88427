import { limits } from "../../http/limits.ts";
import { z } from "@hono/zod-openapi";
import { operation } from "../../operation.ts";
import { editQuery, ladderShape, levelParams, levelPatch, previewShape } from "../../schemas/ladder.ts";
import { editLadder } from "./edit.ts";
import { withChangedLevel } from "./ladder.ts";

export const changeLevel = operation({
  method: "patch",
  path: "/v1/tiers/{levelId}",
  tag: "Tiers",
  summary: "Changes one level of the ladder",
  description: "If-Match is the ladder's ETag. A rename changes nobody's level.",
  access: { kind: "merchant", role: "owner" },
  command: true,
  answerMs: limits.longAnswerMs,
  params: levelParams,
  query: editQuery,
  body: levelPatch,
  ifMatch: "required",
  replies: { 200: { description: "The new ladder, or the preview", schema: z.union([ladderShape, previewShape]) } },
  errors: ["not_found"],
  handle: (call) => editLadder(call, 200, (ladder) => withChangedLevel(ladder, call.params.levelId, call.body)),
});
