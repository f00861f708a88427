import { limits } from "../../http/limits.ts";
import { z } from "@hono/zod-openapi";
import { operation } from "../../operation.ts";
import { editQuery, ladderShape, levelParams, previewShape } from "../../schemas/ladder.ts";
import { editLadder } from "./edit.ts";
import { withoutLevel } from "./ladder.ts";

export const removeLevel = operation({
  method: "delete",
  path: "/v1/tiers/{levelId}",
  tag: "Tiers",
  summary: "Removes one level of the ladder",
  description: "Its customers fall to what they qualify for. If-Match, when given, is the ladder's ETag.",
  access: { kind: "merchant", role: "owner" },
  command: true,
  answerMs: limits.longAnswerMs,
  params: levelParams,
  query: editQuery,
  ifMatch: "optional",
  replies: { 200: { description: "The new ladder, or the preview", schema: z.union([ladderShape, previewShape]) } },
  errors: ["not_found"],
  handle: (call) => editLadder(call, 200, (ladder) => withoutLevel(ladder, call.params.levelId)),
});
