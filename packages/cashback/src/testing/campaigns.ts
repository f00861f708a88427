import { type CampaignDefinition, campaignDefaults, campaignOf as toDomain } from "../definition.ts";
import type { Campaign } from "../domain/index.ts";
import type { CampaignText } from "./vectors.ts";

/** A campaign of the vectors with its defaults. */
export function definitionOf(text: CampaignText): CampaignDefinition {
  return { ...campaignDefaults, name: text.id, status: "active", ...text };
}

export function campaignOf(text: CampaignText, campaign: number, version: number): Campaign {
  return toDomain(campaign, version, definitionOf(text));
}
