import { type BenchMerchant, call, createMerchants } from "../bed/merchants.ts";

const count = 2;

/** A campaign whose awards are held for two days: of orders that come late some are due at once, for the sweep. */
const held = { id: "held", name: "Held", rateBps: 100, stacking: "add", holdDays: 2, status: "active", startsAt: "2000-01-01T00:00:00Z" };
const card = { name: "Coffee card", category: "coffee", size: 3 };

/** Two merchants with tiers, four campaigns and a stamp card. */
export async function createShops(merchantApi: string): Promise<BenchMerchant[]> {
  const merchants = await createMerchants(merchantApi, count);
  for (const { apiKey } of merchants) {
    await call(merchantApi, "POST", "/v1/campaigns", { "x-api-key": apiKey }, held);
    await call(merchantApi, "PUT", "/v1/stamp-cards/coffee", { "x-api-key": apiKey, "if-match": '"0"' }, card);
  }
  return merchants;
}
