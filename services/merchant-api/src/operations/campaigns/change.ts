import { operation } from "../../operation.ts";
import { campaignParams, campaignPatch, campaignShape } from "../../schemas/campaign.ts";
import { editCampaign } from "./edit.ts";
import { storedPatch } from "./show.ts";

export const changeOneCampaign = operation({
  method: "patch",
  path: "/v1/campaigns/{campaignId}",
  tag: "Campaigns",
  summary: "Changes a campaign",
  description:
    "Only what is given changes, null clears. Earlier awards keep the rate, multiplier and caps that they were made with. Any status but draft can be set from any other.",
  access: { kind: "merchant", role: "owner" },
  command: true,
  params: campaignParams,
  body: campaignPatch,
  ifMatch: "required",
  replies: { 200: { description: "The new version", schema: campaignShape } },
  errors: ["not_found", "invalid_transition"],
  handle: (call) => editCampaign(call, "campaign.change", storedPatch(call.params.campaignId, call.body)),
});
