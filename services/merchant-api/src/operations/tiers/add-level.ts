import { limits } from "../../http/limits.ts";
import { randomUUID } from "node:crypto";
import { operation } from "../../operation.ts";
import { editQuery, ladderShape, levelBody, previewShape } from "../../schemas/ladder.ts";
import { editLadder } from "./edit.ts";
import { withLevel } from "./ladder.ts";

export const addLevel = operation({
  method: "post",
  path: "/v1/tiers",
  tag: "Tiers",
  summary: "Adds one level to the ladder",
  access: { kind: "merchant", role: "owner" },
  command: true,
  answerMs: limits.longAnswerMs,
  query: editQuery,
  body: levelBody,
  ifMatch: "optional",
  idempotent: true,
  replies: { 201: { description: "The new ladder", schema: ladderShape }, 200: { description: "The preview", schema: previewShape } },
  errors: ["id_taken"],
  handle: (call) => editLadder(call, 201, (ladder) => withLevel(ladder, call.body, randomUUID)),
});
