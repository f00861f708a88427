import { operation } from "../../operation.ts";
import { campaignParams, campaignShape } from "../../schemas/campaign.ts";
import { editCampaign } from "./edit.ts";

export const pauseCampaign = operation({
  method: "post",
  path: "/v1/campaigns/{campaignId}/pause",
  tag: "Campaigns",
  summary: "Pauses a campaign",
  description: "The same as a PATCH of the status alone; If-Match may be left out.",
  access: { kind: "merchant", role: "owner" },
  command: true,
  params: campaignParams,
  ifMatch: "optional",
  idempotent: true,
  replies: { 200: { description: "The new version", schema: campaignShape } },
  errors: ["not_found", "invalid_transition"],
  handle: (call) => editCampaign(call, "campaign.pause", { status: "paused" }),
});
