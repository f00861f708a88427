import { deleteCampaign, findCampaign } from "@perkstream/cashback";
import { checkVersion } from "../../http/etag.ts";
import { operation, reply } from "../../operation.ts";
import { campaignParams } from "../../schemas/campaign.ts";
import { audit, writeInTurn } from "../../write.ts";
import { refuseCampaign, underCampaignLocks } from "./edit.ts";
import { showCampaign } from "./show.ts";

export const removeCampaign = operation({
  method: "delete",
  path: "/v1/campaigns/{campaignId}",
  tag: "Campaigns",
  summary: "Deletes a draft",
  access: { kind: "merchant", role: "owner" },
  command: true,
  params: campaignParams,
  ifMatch: "optional",
  replies: { 204: { description: "Deleted", schema: null } },
  errors: ["not_found", "not_draft"],
  async handle(call) {
    const { deps, principal, params, ifMatch, now } = call;
    const { merchant, actor } = principal;
    return writeInTurn(call, (tx) =>
      underCampaignLocks(tx, deps.partitions, async (held) => {
        const before = await findCampaign(tx, merchant.id, params.campaignId);
        if (before === undefined) return refuseCampaign("not_found");
        const stale = checkVersion(ifMatch, before.version);
        if (stale !== null) return stale;
        const deleted = await deleteCampaign(held, { merchant: merchant.id, actor, at: now }, params.campaignId, null);
        if (deleted !== "deleted") return refuseCampaign(deleted);
        await audit(tx, call, principal, {
          action: "campaign.delete",
          target: params.campaignId,
          before: showCampaign(before),
          after: null,
        });
        return reply(204, null);
      }),
    );
  },
});
