import type { StoredAwards } from "../awards.ts";
import { awardField } from "../awards.ts";
import { notEligible } from "../domain/index.ts";
import type { MerchantCampaigns } from "./campaigns.ts";

/** An allowance: of `campaign` in `part`. */
export interface BudgetKey {
  readonly campaign: number;
  readonly part: number;
}

/** Which budgets the events of a transaction may take from or give back to; no others are locked or read. */
export class BudgetKeys {
  readonly shared = new Set<number>();
  readonly allowances = new Map<string, BudgetKey>();

  /** Of an order: every campaign with a budget that may judge it. */
  ofOrder(campaigns: MerchantCampaigns, part: number, offset: number, occurredAt: number): void {
    if (!campaigns.hasBudget) return;
    for (const version of campaigns.at(part, offset)) {
      if (notEligible(version, occurredAt, version.minOrderMinor) === null) this.#add(campaigns, part, version.campaign);
    }
  }

  /** Of a refund: the campaigns that paid for its order. */
  ofAwards(campaigns: MerchantCampaigns, part: number, awards: StoredAwards | null): void {
    if (!campaigns.hasBudget) return;
    for (const award of awards?.a ?? []) this.#add(campaigns, part, award[awardField.campaign]);
  }

  #add(campaigns: MerchantCampaigns, part: number, campaign: number): void {
    const budget = campaigns.byId.get(campaign)?.budget ?? "none";
    if (budget === "shared") this.shared.add(campaign);
    else if (budget === "allowances") this.allowances.set(`${campaign}/${part}`, { campaign, part });
  }
}
