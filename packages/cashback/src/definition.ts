import type { Campaign, CampaignStatus, CapPeriod, Expiry, LineFilter } from "./domain/index.ts";

export interface FilterDefinition {
  readonly skus?: readonly string[] | undefined;
  readonly categories?: readonly string[] | undefined;
}

/** A campaign version in the words of the API; amounts in minor units below 2^53, instants ISO 8601. */
export interface CampaignDefinition {
  readonly id: string;
  readonly name: string;
  readonly rateBps: number;
  readonly startsAt: string;
  readonly endsAt: string | null;
  readonly include: FilterDefinition | null;
  readonly exclude: FilterDefinition | null;
  readonly minOrderMinor: number;
  readonly stacking: "best" | "add";
  readonly priority: number;
  readonly perOrderCapMinor: number | null;
  readonly perCustomerCap: { readonly amountMinor: number; readonly period: CapPeriod } | null;
  readonly budgetMinor: number | null;
  readonly holdDays: number;
  readonly expiry: Expiry;
  readonly tierMultiplier: boolean;
  readonly status: CampaignStatus;
}

/** What a campaign is when its creator leaves a field out. */
export const campaignDefaults: Omit<CampaignDefinition, "id" | "name" | "rateBps"> = {
  startsAt: "2000-01-01T00:00:00Z",
  endsAt: null,
  include: null,
  exclude: null,
  minOrderMinor: 0,
  stacking: "best",
  priority: 0,
  perOrderCapMinor: null,
  perCustomerCap: null,
  budgetMinor: null,
  holdDays: 0,
  expiry: { type: "never" },
  tierMultiplier: true,
  status: "draft",
};

/** An empty filter is none: `include` then matches all lines, `exclude` no line. */
function filterOf(definition: FilterDefinition | null): LineFilter | null {
  const skus = new Set(definition?.skus ?? []);
  const categories = new Set(definition?.categories ?? []);
  return skus.size + categories.size === 0 ? null : { skus, categories };
}

function minorOrNull(amount: number | null): bigint | null {
  return amount === null ? null : BigInt(amount);
}

/** The domain's campaign of a stored version. */
export function campaignOf(campaign: number, version: number, definition: CampaignDefinition): Campaign {
  const { perCustomerCap: cap } = definition;
  return {
    campaign,
    campaignId: definition.id,
    version,
    name: definition.name,
    rateBps: definition.rateBps,
    startsAt: Date.parse(definition.startsAt),
    endsAt: definition.endsAt === null ? null : Date.parse(definition.endsAt),
    include: filterOf(definition.include),
    exclude: filterOf(definition.exclude),
    minOrderMinor: BigInt(definition.minOrderMinor),
    stacking: definition.stacking,
    priority: definition.priority,
    perOrderCapMinor: minorOrNull(definition.perOrderCapMinor),
    perCustomerCap: cap === null ? null : { amountMinor: BigInt(cap.amountMinor), period: cap.period },
    budgetMinor: minorOrNull(definition.budgetMinor),
    holdDays: definition.holdDays,
    expiry: definition.expiry,
    tierMultiplier: definition.tierMultiplier,
    status: definition.status,
  };
}
