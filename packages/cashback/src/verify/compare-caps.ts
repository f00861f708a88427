import type { TellCustomer } from "@perkstream/verify";
import { type CapPeriod, capPeriodCode, capPeriodText } from "../domain/index.ts";
import type { MerchantCampaigns } from "../store/campaigns.ts";
import type { CapRow } from "./rows.ts";
import { capText, type CustomerUsage } from "./usage.ts";

/** What was used of caps; what is above all caps that any version of the campaign has is named so. */
export function compareCaps(usage: CustomerUsage, rows: readonly CapRow[], campaigns: MerchantCampaigns, tell: TellCustomer): void {
  const left = new Map(usage.caps);
  for (const row of rows) {
    // A row of a period that nothing was awarded in is not wrong: the program makes some before it knows.
    const expected = left.get(capText(row))?.usedMinor ?? 0n;
    left.delete(capText(row));
    if (expected === row.used) continue;
    const caps = capsOf(campaigns, row.campaign, row.period);
    const problem = caps.length > 0 && caps.every((cap) => row.used > cap) ? "exceeded" : "changed";
    const where = { campaign: nameOf(campaigns, row.campaign), period: periodText(row) };
    tell({ thing: "cap", problem, where, expected: { used: expected }, found: { used: row.used } });
  }
  for (const cap of left.values()) {
    if (!cap.kept) continue;
    const where = { campaign: nameOf(campaigns, cap.campaign), period: periodText(cap) };
    tell({ thing: "cap", problem: "missing", where, expected: { used: cap.usedMinor }, found: null });
  }
}

function capsOf(campaigns: MerchantCampaigns, campaign: number, period: number): readonly bigint[] {
  return (campaigns.byId.get(campaign)?.versions ?? []).flatMap(({ campaign: { perCustomerCap } }) =>
    perCustomerCap !== null && capPeriodCode[perCustomerCap.period] === period ? [perCustomerCap.amountMinor] : [],
  );
}

/** A tampered row may name a campaign that the merchant does not have. */
function nameOf(campaigns: MerchantCampaigns, campaign: number): string {
  return campaigns.byId.get(campaign)?.campaignId ?? `number ${campaign}`;
}

function periodText({ period, key }: { readonly period: number; readonly key: number }): string {
  const name = (Object.keys(capPeriodCode) as CapPeriod[]).find((one) => capPeriodCode[one] === period);
  return name === undefined ? `${period}/${key}` : capPeriodText(name, key);
}
