export type CapPeriod = "day" | "month" | "campaign";
export type CampaignStatus = "draft" | "active" | "paused" | "ended";

/** `days`: 24-hour days after becoming available; `end_of_month`: the start of the month after the local month of becoming available + months. */
export type Expiry =
  | { readonly type: "never" }
  | { readonly type: "days"; readonly days: number }
  | { readonly type: "end_of_month"; readonly months: number };

/** A line is in it when its sku or its category is. */
export interface LineFilter {
  readonly skus: ReadonlySet<string>;
  readonly categories: ReadonlySet<string>;
}

/** One version of a campaign. `campaign` is its surrogate id. Instants are ms since 1970, `endsAt` is the first not covered. */
export interface Campaign {
  readonly campaign: number;
  readonly campaignId: string;
  readonly version: number;
  readonly name: string;
  readonly rateBps: number;
  readonly startsAt: number;
  readonly endsAt: number | null;
  /** Null matches every line. */
  readonly include: LineFilter | null;
  readonly exclude: LineFilter | null;
  readonly minOrderMinor: bigint;
  readonly stacking: "best" | "add";
  readonly priority: number;
  readonly perOrderCapMinor: bigint | null;
  readonly perCustomerCap: { readonly amountMinor: bigint; readonly period: CapPeriod } | null;
  readonly budgetMinor: bigint | null;
  readonly holdDays: number;
  readonly expiry: Expiry;
  readonly tierMultiplier: boolean;
  readonly status: CampaignStatus;
}

export type NotEligibleReason = "not_active" | "outside_period" | "below_minimum";

/** Why the campaign does not judge an order at all, or null when it does. */
export function notEligible(campaign: Campaign, occurredAt: number, baseMinor: bigint): NotEligibleReason | null {
  if (campaign.status !== "active") return "not_active";
  if (occurredAt < campaign.startsAt || (campaign.endsAt !== null && occurredAt >= campaign.endsAt)) return "outside_period";
  return baseMinor < campaign.minOrderMinor ? "below_minimum" : null;
}

function holds(filter: LineFilter, sku: string, category: string | null): boolean {
  return filter.skus.has(sku) || (category !== null && filter.categories.has(category));
}

export function matchesLine(campaign: Campaign, sku: string, category: string | null): boolean {
  if (campaign.exclude !== null && holds(campaign.exclude, sku, category)) return false;
  return campaign.include === null || holds(campaign.include, sku, category);
}

/** Strings as their UTF-8 bytes compare: the order of ids everywhere. */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xSurrogate = x >= 0xd800 && x < 0xe000;
    const ySurrogate = y >= 0xd800 && y < 0xe000;
    // A surrogate stands for a code point above every other UTF-16 unit.
    if (xSurrogate !== ySurrogate) return xSurrogate ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

/** By priority, then id: the order of awards, lots of one order and names in a notice. */
export function byPriority(
  a: { readonly priority: number; readonly campaignId: string },
  b: { readonly priority: number; readonly campaignId: string },
): number {
  return a.priority - b.priority || compareIds(a.campaignId, b.campaignId);
}

/** Of two matching `best` campaigns, whether `a` takes the line: higher rate, then lower priority number, then lower id. */
export function beats(a: Campaign, b: Campaign): boolean {
  return a.rateBps === b.rateBps ? byPriority(a, b) < 0 : a.rateBps > b.rateBps;
}
