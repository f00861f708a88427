import type { z } from "@hono/zod-openapi";
import type { CampaignPatch as StoredPatch, CampaignView, FilterDefinition } from "@perkstream/cashback";
import type { ReadOnly } from "../../operation.ts";
import { campaignDefaults, type CampaignPatch, type campaignShape } from "../../schemas/campaign.ts";
import { iso } from "../../schemas/time.ts";

/** A campaign as it is answered: what is absent is null. */
export function showCampaign({ version, definition }: CampaignView): ReadOnly<z.input<typeof campaignShape>> {
  const { startsAt, endsAt, include, exclude, ...rest } = definition;
  return {
    ...rest,
    startsAt: iso(Date.parse(startsAt)),
    endsAt: endsAt === null ? null : iso(Date.parse(endsAt)),
    include: showFilter(include),
    exclude: showFilter(exclude),
    version,
  };
}

function showFilter(filter: FilterDefinition | null) {
  return filter === null ? null : { skus: filter.skus ?? null, categories: filter.categories ?? null };
}

/** What a PATCH stores: null clears, and what cannot be empty goes back to its default. */
export function storedPatch(campaignId: string, patch: CampaignPatch): StoredPatch {
  const defaults: Record<string, unknown> = { ...campaignDefaults, name: campaignId };
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([field, value]) => [field, value === null ? (defaults[field] ?? null) : value]));
}
