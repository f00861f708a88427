import { campaignStats as readStats } from "@perkstream/cashback";
import { operation, reply } from "../../operation.ts";
import { campaignParams, campaignStats } from "../../schemas/campaign.ts";
import { refuseCampaign } from "./edit.ts";

export const getCampaignStats = operation({
  method: "get",
  path: "/v1/campaigns/{campaignId}/stats",
  tag: "Campaigns",
  summary: "What a campaign has awarded, to how many",
  description: "used = awarded - reversed, which is what counts against the budget.",
  access: { kind: "merchant", role: "viewer" },
  params: campaignParams,
  replies: { 200: { description: "Sums over all customers", schema: campaignStats } },
  errors: ["not_found"],
  async handle({ deps, principal: { merchant }, params: { campaignId } }) {
    const stats = await readStats(deps.sql, merchant.id, campaignId);
    return stats === undefined ? refuseCampaign("not_found") : reply(200, stats);
  },
});
