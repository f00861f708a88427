import { findCampaign } from "@perkstream/cashback";
import { operation } from "../../operation.ts";
import { campaignParams, campaignShape } from "../../schemas/campaign.ts";
import { campaignReply, refuseCampaign } from "./edit.ts";

export const getCampaign = operation({
  method: "get",
  path: "/v1/campaigns/{campaignId}",
  tag: "Campaigns",
  summary: "One campaign",
  access: { kind: "merchant", role: "viewer" },
  params: campaignParams,
  replies: { 200: { description: "The campaign; ETag is its version", schema: campaignShape } },
  errors: ["not_found"],
  async handle({ deps, principal, params }) {
    const view = await findCampaign(deps.sql, principal.merchant.id, params.campaignId);
    return view === undefined ? refuseCampaign("not_found") : campaignReply(200, view);
  },
});
