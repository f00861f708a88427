import { z } from "@hono/zod-openapi";
import { listCampaigns } from "@perkstream/cashback";
import { Refusal } from "../../errors.ts";
import { decodeCursor, pageFrom, pageOf, pageQuery } from "../../http/cursor.ts";
import { operation, reply } from "../../operation.ts";
import { campaignShape } from "../../schemas/campaign.ts";
import { text } from "../../schemas/values.ts";
import { showCampaign } from "./show.ts";

export const listAllCampaigns = operation({
  method: "get",
  path: "/v1/campaigns",
  tag: "Campaigns",
  summary: "Campaigns by id",
  access: { kind: "merchant", role: "viewer" },
  query: pageQuery,
  replies: { 200: { description: "Campaigns as they are now", schema: pageOf(campaignShape) } },
  async handle({ deps, principal: { merchant }, query: { limit, cursor } }) {
    const after = decodeCursor(z.tuple([text(64, 1)]), cursor);
    if (after instanceof Refusal) return after;
    const views = await listCampaigns(deps.sql, merchant.id, { limit: limit + 1, after: after?.[0] });
    return reply(
      200,
      pageFrom(views, limit, ({ definition }) => [definition.id], showCampaign),
    );
  },
});
