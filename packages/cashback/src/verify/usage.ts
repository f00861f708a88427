import type { Campaign, CapPeriod, Limits, LocalCalendar } from "../domain/index.ts";
import { capPeriodCode, capPeriodKey } from "../domain/index.ts";
import type { MerchantCampaigns } from "../store/campaigns.ts";

const PERIODS: readonly CapPeriod[] = ["day", "month", "campaign"];

export interface CapUsage {
  readonly campaign: number;
  readonly period: number;
  readonly key: number;
  usedMinor: bigint;
  /** The program keeps a row of it: something was awarded or given back since a version has this cap. */
  kept: boolean;
}

/** What a customer got of each campaign in each period that any version caps. */
export class CustomerUsage {
  readonly caps = new Map<string, CapUsage>();

  of({ campaign }: { readonly campaign: number }, period: CapPeriod, localDay: number, calendar: LocalCalendar): CapUsage {
    const usage = { campaign, period: capPeriodCode[period], key: capPeriodKey(period, localDay, calendar), usedMinor: 0n, kept: false };
    const text = capText(usage);
    const known = this.caps.get(text);
    if (known === undefined) this.caps.set(text, usage);
    return known ?? usage;
  }
}

export function capText({ campaign, period, key }: { readonly campaign: number; readonly period: number; readonly key: number }): string {
  return `${campaign}/${period}/${key}`;
}

/** What limits ask of a replay and tell it. */
export interface LimitsSink {
  /** What the stored award says that the budget left; null where it says nothing. */
  budgetLeft(campaign: number): bigint | null;
  /** What the customer's cap has left for the order. */
  capLeft(campaign: number, leftMinor: bigint): void;
  /** Every change, with the version of the campaign that holds. */
  used(campaign: number, version: number, amountMinor: bigint): void;
}

/** Where an order stands: whose limits, by which rules. */
export interface LimitsPlace {
  readonly partition: number;
  readonly offset: number;
  readonly localDay: number;
  readonly calendar: LocalCalendar;
  readonly campaigns: MerchantCampaigns;
}

/**
 * The limits of one order in a replay. What a budget left is no matter of one customer: it was stored with the award and is taken from
 * there (docs/programs.md, "What can be recomputed").
 */
export function limitsOf(usage: CustomerUsage, place: LimitsPlace, sink: LimitsSink): Limits {
  const { partition, offset, localDay, calendar, campaigns } = place;
  return {
    customerCapLeft: (campaign: Campaign, period, capMinor) => {
      const leftMinor = capMinor - usage.of(campaign, period, localDay, calendar).usedMinor;
      sink.capLeft(campaign.campaign, leftMinor);
      return leftMinor;
    },
    budgetLeft: ({ campaign }, budgetMinor) => sink.budgetLeft(campaign) ?? budgetMinor,
    use: (campaign, amountMinor) => {
      const stored = campaigns.byId.get(campaign);
      const versions = (stored?.versions ?? []).filter(({ fromOff }) => (fromOff[partition] ?? 0) <= offset);
      for (const period of PERIODS) {
        if (((stored?.capPeriods ?? 0) & capPeriodCode[period]) === 0) continue;
        const cap = usage.of({ campaign }, period, localDay, calendar);
        cap.usedMinor += amountMinor;
        cap.kept ||= versions.some((version) => version.campaign.perCustomerCap?.period === period);
      }
      sink.used(campaign, versions[0]?.campaign.version ?? 0, amountMinor);
    },
  };
}
