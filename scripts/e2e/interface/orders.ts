import { describe, expect, it } from "vitest";
import { customer, customerId, expectCustomer, expectNotes, expectRefunds, now, type Order, orderId, path } from "./customer-lists.ts";
import { addCampaign, buy, expectProblem, keysOf, noon, openShop, type Position, putLadder, type Shop, twoLevels } from "./shop.ts";

/** Three campaigns that add up, one for each period of a cap, and four that pay nothing. */
async function openStocked(api: string): Promise<Shop> {
  const shop = await openShop(api);
  await putLadder(shop, twoLevels);
  const adding = { stacking: "add" };
  const day = { amountMinor: 1_000, period: "day" };
  await addCampaign(shop, { ...adding, id: "day", rateBps: 1_000, priority: 2, tierMultiplier: false, perCustomerCap: day });
  const month = { amountMinor: 10_000, period: "month" };
  const held = { holdDays: 14, expiry: { type: "days", days: 30 } };
  await addCampaign(shop, { ...adding, ...held, id: "mon", rateBps: 500, priority: 1, perCustomerCap: month, budgetMinor: 50_000 });
  const campaign = { amountMinor: 70, period: "campaign" };
  await addCampaign(shop, { ...adding, id: "cam", rateBps: 100, priority: 1, perCustomerCap: campaign, perOrderCapMinor: 60 });
  await addCampaign(shop, { ...adding, id: "other", rateBps: 100, priority: 9, include: { skus: ["zzz"] } });
  await addCampaign(shop, { id: "draft", rateBps: 100, status: "draft" });
  await addCampaign(shop, { id: "later", rateBps: 100, startsAt: noon("2026-01-01") });
  await addCampaign(shop, { id: "minimum", rateBps: 100, minOrderMinor: 1_000_000 });
  await addCampaign(shop, { id: "paused", rateBps: 100, status: "paused" });
  return shop;
}

/** What an order leaves behind, in every list and with every field. */
export function describeOrders(api: () => string): void {
  describe("an order", () => {
    it("and its customer are shown with every field, refunded and cancelled", async () => {
      const shop = await openStocked(api());
      for (const list of ["", "/tier-history", "/lots", "/transfers", "/notifications", "/orders", "/caps"])
        expectProblem(await shop.send("GET", customer + list), 404, "not_found");
      expectProblem(await shop.send("GET", path), 404, "not_found");

      const nulls = { occurredAt: null, currency: null, redemptionId: null };
      const bought = [
        { sku: "a", category: null, quantity: 1, netMinor: 8_000 },
        { sku: "b", category: "x", quantity: 2, netMinor: 2_000 },
      ];
      const body = { orderId, customerId, ...nulls, lines: bought };
      const placed = await shop.ok<Position>(202, "POST", "/v1/orders", { body, now });
      expect(keysOf(placed)).toEqual(["offset", "orderId", "partition"]);
      await shop.settle(placed);

      const why = (rateBps: number, more: object) => ({
        version: 1,
        lines: [0, 1],
        baseMinor: 10_000,
        rateBps,
        multiplierBps: 10_000,
        ...more,
      });
      const award = (campaignId: string, rateBps: number, minor: number, lines: number[], steps: object) => ({
        campaignId,
        version: 1,
        rateBps,
        multiplierBps: 10_000,
        awardedMinor: minor,
        currentMinor: minor,
        lines,
        why: why(rateBps, { awardMinor: minor, ...steps }),
      });
      expect(await shop.get(path)).toEqual({
        orderId,
        customerId,
        occurredAt: "2025-01-10T12:00:00.000Z",
        localDate: "2025-01-10",
        currency: "USD",
        cancelled: false,
        paidWithCashbackMinor: 0,
        lines: bought.map((line, n) => ({ line: n, ...line, baseMinor: line.netMinor, remainingMinor: line.netMinor })),
        tier: { before: null, after: "gold" },
        awards: [
          award("cam", 100, 60, [48, 12], { earnedMinor: 100, afterOrderCapMinor: 60, afterCustomerCapMinor: 60 }),
          award("mon", 500, 500, [400, 100], { earnedMinor: 500, afterCustomerCapMinor: 500, afterBudgetMinor: 500 }),
          award("day", 1_000, 1_000, [800, 200], { earnedMinor: 1_000, afterCustomerCapMinor: 1_000 }),
          award("other", 100, 0, [0, 0], { earnedMinor: 0, lines: [], baseMinor: 0, reason: "no_line" }),
        ],
        notEligible: expect.toSatisfy((list: { campaignId: string; reason: string }[]) => {
          const reasons = Object.fromEntries(list.map(({ campaignId, reason }) => [campaignId, reason]));
          expect(reasons).toEqual({ later: "outside_period", minimum: "below_minimum", paused: "not_active" });
          return true;
        }),
        refunds: [],
      });
      await expectCustomer(shop, placed);
      await expectNotes(shop);
      await expectRefunds(shop);
    });

    it("without occurredAt is the same order again when it is repeated", async () => {
      const shop = await openStocked(api());
      const purchase = { customerId: "c1", orderId: "o1", netMinor: 5_000 };
      await buy(shop, { ...purchase, now });
      await buy(shop, { ...purchase, now: noon("2025-01-11") });
      const counts = { events: 2, duplicates: 1, parked: 0 };
      expect(await shop.get("/v1/dev/counts")).toMatchObject({ tier: counts, cashback: counts });
      expectProblem(await shop.send("PATCH", "/v1/merchant", { body: { currency: "EUR" } }), 409, "currency_fixed");
    });

    it("says why a campaign paid nothing", async () => {
      const shop = await openStocked(api());
      const reasons = async (id: string) =>
        Object.fromEntries((await shop.get<Order>(`/v1/orders/${id}`)).awards.map(({ campaignId, why }) => [campaignId, why.reason]));
      await buy(shop, { customerId: "c1", orderId: "small", netMinor: 1, now });
      expect(await reasons("small")).toEqual({ cam: "rounded_to_zero", mon: "rounded_to_zero", day: "rounded_to_zero", other: "no_line" });
      await buy(shop, { customerId: "c1", orderId: "full", netMinor: 50_000, now });
      await buy(shop, { customerId: "c1", orderId: "over", netMinor: 50_000, now });
      expect(await reasons("over")).toMatchObject({ day: "customer_cap" });
    });

    it("dated tomorrow counts for the metric when that day begins", async () => {
      const shop = await openStocked(api());
      const body = {
        orderId: "o1",
        customerId: "c1",
        occurredAt: "2025-01-11T00:02:00Z",
        lines: [{ sku: "a", quantity: 1, netMinor: 700 }],
      };
      await shop.settle(await shop.ok<Position>(202, "POST", "/v1/orders", { body, now: "2025-01-10T23:58:00Z" }));
      expect(await shop.get("/v1/customers/c1", "2025-01-10T23:59:59Z")).toMatchObject({ metric: 0 });
      expect(await shop.get("/v1/customers/c1", "2025-01-11T00:00:00Z")).toMatchObject({ metric: 700 });
    });

    it.each([
      { lines: [] },
      { lines: [{ sku: "a", quantity: 1, netMinor: -1 }] },
      { lines: [{ sku: "a", quantity: 0, netMinor: 1 }] },
      { orderId: "" },
      { customerId: "c".repeat(65) },
      { occurredAt: "now" },
    ])("is refused with %j", async (field) => {
      const shop = await openShop(api());
      const body = { orderId: "o", customerId: "c", lines: [{ sku: "a", quantity: 1, netMinor: 1 }], ...field };
      expectProblem(await shop.send("POST", "/v1/orders", { body }), 400, "invalid_request");
    });
  });
}
