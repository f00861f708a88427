import type { Campaign, CampaignInput, Merchant, Story } from "./types.ts";

/** The head of vectors.json in code: what a story leaves out. */
const defaultMerchant: Merchant = {
  merchantId: "4f981b0b-accf-4eb7-8018-7cd651c7e907",
  currency: "USD",
  timeZone: "UTC",
  clawbackPolicy: "allow_negative",
  expiringNoticeDays: 0,
};

export function merchantOf(story: Pick<Story, "merchant">): Merchant {
  return { ...defaultMerchant, ...story.merchant };
}

export function campaignOf(input: CampaignInput): Campaign {
  return {
    name: input.id,
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
    status: "active",
    ...input,
  };
}
