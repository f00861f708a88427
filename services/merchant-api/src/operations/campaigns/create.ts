import { randomUUID } from "node:crypto";
import { createCampaign } from "@perkstream/cashback";
import { operation } from "../../operation.ts";
import { campaignBody, campaignShape } from "../../schemas/campaign.ts";
import { audit, writeInTurn } from "../../write.ts";
import { campaignReply, refuseCampaign, underCampaignLocks } from "./edit.ts";
import { showCampaign } from "./show.ts";

export const createOneCampaign = operation({
  method: "post",
  path: "/v1/campaigns",
  tag: "Campaigns",
  summary: "Makes a campaign",
  description: "A draft unless `status` says otherwise. It holds for orders that the cashback program reads from now on.",
  access: { kind: "merchant", role: "owner" },
  command: true,
  body: campaignBody,
  idempotent: true,
  replies: { 201: { description: "Made; ETag is its version", schema: campaignShape } },
  errors: ["id_taken"],
  async handle(call) {
    const { deps, principal, body, now } = call;
    const { merchant, actor } = principal;
    const id = body.id ?? randomUUID();
    return writeInTurn(call, (tx) =>
      underCampaignLocks(tx, deps.partitions, async (held) => {
        const made = await createCampaign(held, { merchant: merchant.id, actor, at: now }, { ...body, id, name: body.name ?? id });
        if (typeof made === "string") return refuseCampaign(made);
        await audit(tx, call, principal, { action: "campaign.create", target: id, before: null, after: showCampaign(made) });
        return campaignReply(201, made);
      }),
    );
  },
});
