import { type CampaignPatch, type CampaignRefusal, type CampaignView, changeCampaign, findCampaign } from "@perkstream/cashback";
import type { Tx } from "@perkstream/postgres";
import { type CommandContext, inPartitions } from "@perkstream/program";
import type { MerchantPrincipal } from "../../auth/principal.ts";
import type { Refusal } from "../../errors.ts";
import { refuse } from "../../errors.ts";
import { checkVersion, etagOf, type IfMatch } from "../../http/etag.ts";
import { reply } from "../../operation.ts";
import { allPartitions, scopeOf } from "../../programs.ts";
import { audit, type WriteCall, writeInTurn } from "../../write.ts";
import { showCampaign } from "./show.ts";

export interface CampaignCall extends WriteCall {
  readonly principal: MerchantPrincipal;
  readonly now: number;
  readonly ifMatch: IfMatch;
  readonly params: { readonly campaignId: string };
}

const details: Record<CampaignRefusal, string> = {
  id_taken: "there is a campaign with this id",
  not_found: "there is no such campaign",
  stale_version: "the campaign has another version",
  invalid_transition: "a campaign cannot become a draft again",
  not_draft: "only a draft can be deleted; end it instead",
};

export const refuseCampaign = (refusal: CampaignRefusal): Refusal => refuse(refusal, details[refusal]);

/** Runs an edit under the locks of all partitions of the cashback program: it holds from their next offsets. */
export function underCampaignLocks<T>(tx: Tx, partitions: number, run: (held: CommandContext) => Promise<T>): Promise<T> {
  return inPartitions(tx, { ...scopeOf("cashback"), partitions: allPartitions(partitions) }, run);
}

/** Stores the next version of a campaign and answers with it. */
export async function editCampaign(call: CampaignCall, action: string, patch: CampaignPatch) {
  const { deps, principal, now, ifMatch, params } = call;
  const { merchant, actor } = principal;
  return writeInTurn(call, (tx) =>
    underCampaignLocks(tx, deps.partitions, async (held) => {
      const before = await findCampaign(tx, merchant.id, params.campaignId);
      if (before === undefined) return refuseCampaign("not_found");
      const stale = checkVersion(ifMatch, before.version);
      if (stale !== null) return stale;
      const after = await changeCampaign(held, { merchant: merchant.id, actor, at: now }, params.campaignId, null, patch);
      if (typeof after === "string") return refuseCampaign(after);
      await audit(tx, call, principal, { action, target: params.campaignId, before: showCampaign(before), after: showCampaign(after) });
      return campaignReply(200, after);
    }),
  );
}

export function campaignReply<const S extends number>(status: S, view: CampaignView) {
  return reply(status, showCampaign(view), { etag: etagOf(view.version) });
}
