import { patientFetch } from "../patient-fetch.ts";
import type { StreamMerchant } from "../simulate/order-stream.ts";

const ladder = {
  settings: {
    metric: "net_spend",
    window: "rolling_days",
    days: 365,
    refundPolicy: "immediate",
    downgrade: "drop_to_qualified",
    graceDays: 0,
  },
  levels: [
    { id: "bronze", name: "Bronze", threshold: 0, cashbackMultiplierBps: 10_000 },
    { id: "silver", name: "Silver", threshold: 50_000, cashbackMultiplierBps: 12_500 },
    { id: "gold", name: "Gold", threshold: 150_000, cashbackMultiplierBps: 15_000 },
    { id: "platinum", name: "Platinum", threshold: 500_000, cashbackMultiplierBps: 20_000 },
  ],
};

const campaigns = [
  {
    id: "everyday",
    name: "Everyday",
    rateBps: 250,
    stacking: "best",
    budgetMinor: 1_000_000_000_000,
    expiry: { type: "days", days: 180 },
    tierMultiplier: true,
  },
  {
    id: "coffee",
    name: "Coffee",
    rateBps: 500,
    include: { categories: ["coffee"] },
    stacking: "add",
    perOrderCapMinor: 500,
    tierMultiplier: false,
  },
  {
    id: "kitchen",
    name: "Kitchen",
    rateBps: 400,
    include: { categories: ["kitchen"] },
    stacking: "best",
    perCustomerCap: { amountMinor: 2_000, period: "month" },
    expiry: { type: "end_of_month", months: 3 },
    tierMultiplier: true,
  },
];

/** What every merchant of the benchmarks has, for the report. */
export const rulesOfBench =
  "4 levels with multipliers, rolling 365 days; 3 campaigns: 2.5 % with tier multiplier and a budget, 5 % of one category with an order cap, 4 % of another with tier multiplier and a monthly customer cap";

export interface BenchMerchant extends StreamMerchant {
  readonly apiKey: string;
}

/** Makes merchants with a ladder and campaigns through the merchant API. */
export async function createMerchants(merchantApi: string, count: number): Promise<BenchMerchant[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const made = await call<{ merchantId: string; apiKey: string }>(
        merchantApi,
        "POST",
        "/v1/merchants",
        { "x-api-key": "development" },
        { name: `Bench ${i}`, currency: "EUR", timeZone: "Europe/Berlin" },
      );
      const auth = { "x-api-key": made.apiKey };
      await call(merchantApi, "PUT", "/v1/tiers", { ...auth, "if-match": '"0"' }, ladder);
      for (const campaign of campaigns)
        await call(merchantApi, "POST", "/v1/campaigns", auth, { ...campaign, startsAt: "2000-01-01T00:00:00Z", status: "active" });
      return { ...made, currency: "EUR" };
    }),
  );
}

export async function call<T>(base: string, method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<T> {
  const response = await patientFetch(`${base}${path}`, {
    method,
    headers: { ...headers, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}
