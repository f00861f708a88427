import { newestLadder } from "@perkstream/tier";
import { etagOf } from "../../http/etag.ts";
import { operation, reply } from "../../operation.ts";
import { ladderShape } from "../../schemas/ladder.ts";

export const getLadder = operation({
  method: "get",
  path: "/v1/tiers",
  tag: "Tiers",
  summary: "The ladder: levels and settings",
  access: { kind: "merchant", role: "viewer" },
  replies: { 200: { description: "The ladder; ETag is its version", schema: ladderShape } },
  async handle({ deps, principal }) {
    const ladder = await newestLadder(deps.sql, principal.merchant.id);
    return reply(200, ladder, { etag: etagOf(ladder.version) });
  },
});
