/* A merchant whose rules have something to do at every order, refund and date of the file. */

export const merchant = { currency: "GBP", timeZone: "Europe/London", clawbackPolicy: "allow_negative", expiringNoticeDays: 7 } as const;

/** Rolling, and so short that levels are lost and won again within the year of the file. */
export const ladder = {
  settings: {
    metric: "net_spend",
    window: "rolling_days",
    days: 90,
    refundPolicy: "immediate",
    downgrade: "one_down",
    graceDays: 14,
  },
  levels: [
    { id: "bronze", name: "Bronze", threshold: 0, cashbackMultiplierBps: 10_000 },
    { id: "silver", name: "Silver", threshold: 50_000, cashbackMultiplierBps: 12_500 },
    { id: "gold", name: "Gold", threshold: 200_000, cashbackMultiplierBps: 15_000 },
    { id: "platinum", name: "Platinum", threshold: 1_000_000, cashbackMultiplierBps: 20_000 },
  ],
} as const;

/** Held for a fortnight, then good for two months; the cap is per customer, so that customers are independent of each other. */
export const campaign = {
  id: "everyday",
  name: "Everyday",
  rateBps: 200,
  holdDays: 14,
  expiry: { type: "days", days: 60 },
  perCustomerCap: { amountMinor: 5_000, period: "month" },
  startsAt: "2000-01-01T00:00:00Z",
  status: "active",
} as const;

/** After every hold, expiry and fall that the file can cause. */
export const sweptAt = "2013-06-01T00:00:00Z";
