import { describe, expect, it } from "vitest";
import { addCampaign, buy, expectProblem, noon, openShop, order, type Position, type Shop } from "./shop.ts";

interface Redemption {
  redemptionId: string;
  status: string;
}

/** Reservations, commits, orders that they pay, and debts. */
export function describeRedemptions(api: () => string): void {
  const openPaying = async () => {
    const shop = await openShop(api());
    await addCampaign(shop, { id: "k", rateBps: 1_000 });
    await buy(shop, { customerId: "c1", orderId: "o1", netMinor: 10_000, now: noon("2025-01-10") });
    const redeem = (body: object, at: string) => shop.send("POST", "/v1/redemptions", { body: { customerId: "c1", ...body }, now: at });
    const reserve = async (body: object, at: string) => (await redeem({ ttlSeconds: 60, ...body }, at)).body as Redemption;
    const end = (id: string, how: string, at: string) => shop.send("POST", `/v1/redemptions/${id}/${how}`, { now: at });
    return { shop, redeem, reserve, end };
  };

  describe("a redemption", () => {
    it("has all its fields, and ends once", async () => {
      const { shop, redeem, reserve, end } = await openPaying();
      const reserved = await redeem({ amountMinor: 100, orderId: null, ttlSeconds: 3_600 }, noon("2025-01-11"));
      expect(reserved.status).toBe(201);
      const { redemptionId } = reserved.body as Redemption;
      expect(reserved.body).toEqual({
        redemptionId,
        customerId: "c1",
        orderId: null,
        amountMinor: 100,
        status: "reserved",
        expiresAt: "2025-01-11T13:00:00.000Z",
        restoredMinor: 0,
        parts: [{ orderId: "o1", campaignId: "k", amountMinor: 100, restoredMinor: 0 }],
        createdAt: "2025-01-11T12:00:00.000Z",
      });
      expect(await shop.get(`/v1/redemptions/${redemptionId}`)).toEqual(reserved.body);
      const commit = await end(redemptionId, "commit", "2025-01-11T12:59:59.999Z");
      expect(commit).toMatchObject({ status: 200, body: { status: "committed" } });
      for (const how of ["commit", "release"]) expectProblem(await end(redemptionId, how, noon("2025-01-12")), 409, "not_reserved");
      expect(await redeem({ amountMinor: 10, commit: true }, noon("2025-01-12"))).toMatchObject({
        status: 201,
        body: { status: "committed" },
      });
      const given = await reserve({ amountMinor: 50 }, noon("2025-01-13"));
      expect(await end(given.redemptionId, "release", "2025-01-13T12:00:30Z")).toMatchObject({ status: 200, body: { status: "released" } });
      const lost = await reserve({ amountMinor: 50 }, noon("2025-01-14"));
      expect(await shop.get(`/v1/redemptions/${lost.redemptionId}`, noon("2025-02-01"))).toMatchObject({ status: "reserved" });
      expectProblem(await end(lost.redemptionId, "commit", "2025-01-14T12:01:00Z"), 409, "not_reserved");
      expect(await shop.get(`/v1/redemptions/${lost.redemptionId}`)).toMatchObject({ status: "lapsed" });
      // An id that is none of the product's form does not exist either.
      for (const id of [crypto.randomUUID(), "p1"]) {
        for (const how of ["commit", "release"]) expectProblem(await end(id, how, noon("2025-01-15")), 404, "not_found");
        expectProblem(await shop.send("GET", `/v1/redemptions/${id}`), 404, "not_found");
      }
      expectProblem(await redeem({ amountMinor: 99_999, commit: true }, noon("2025-01-15")), 409, "insufficient_balance");
    });

    it.each([
      { amountMinor: 0, commit: true },
      { amountMinor: 1.5, commit: true },
      { amountMinor: 1 },
      { amountMinor: 1, ttlSeconds: 59 },
      { amountMinor: 1, ttlSeconds: 2_592_001 },
    ])("is refused with %j", async (body) => {
      const shop = await openShop(api());
      expectProblem(await shop.send("POST", "/v1/redemptions", { body: { customerId: "c1", ...body } }), 400, "invalid_request");
    });

    it("pays an order that names it, and gets its share back", async () => {
      const { shop, reserve, end } = await openPaying();
      const { redemptionId } = await reserve({ amountMinor: 200, ttlSeconds: 86_400 }, noon("2025-01-16"));
      const released = await reserve({ amountMinor: 10 }, noon("2025-01-16"));
      await end(released.redemptionId, "release", noon("2025-01-16"));
      const paying = (orderId: string, id: string, customerId = "c1") =>
        order(shop, { customerId, orderId, netMinor: 1_000, now: noon("2025-01-16"), redemptionId: id });
      expectProblem(await paying("o2", redemptionId, "c2"), 409, "not_reserved");
      expectProblem(await paying("o2", released.redemptionId), 409, "not_reserved");
      for (const id of [crypto.randomUUID(), "p1"]) expectProblem(await paying("o2", id), 404, "not_found");
      await shop.settle((await paying("o2", redemptionId)).body as Position);
      expect(await shop.get("/v1/orders/o2")).toMatchObject({
        paidWithCashbackMinor: 200,
        lines: [{ netMinor: 1_000, baseMinor: 800 }],
        awards: [{ awardedMinor: 80 }],
      });
      expect(await shop.get(`/v1/redemptions/${redemptionId}`)).toMatchObject({ orderId: "o2", status: "reserved" });
      expectProblem(await paying("o3", redemptionId), 409, "not_reserved");
      expect((await paying("o2", redemptionId)).status).toBe(202);
      await end(redemptionId, "commit", noon("2025-01-16"));
      const body = { customerId: "c1", refundId: "r", lines: [{ line: 0, netMinor: 500 }] };
      await shop.settle(await shop.ok<Position>(202, "POST", "/v1/orders/o2/refunds", { body, now: noon("2025-01-17") }));
      expect(await shop.get(`/v1/redemptions/${redemptionId}`)).toMatchObject({ restoredMinor: 100, parts: [{ restoredMinor: 100 }] });
      expect(await shop.get("/v1/orders/o2")).toMatchObject({ refunds: [{ putBackMinor: 100, clawbacks: [{ amountMinor: 40 }] }] });
      await expectCauses(shop);
    });

    it("that was spent before a cancellation is a debt, which the next award pays at once", async () => {
      const { shop, redeem } = await openPaying();
      await redeem({ amountMinor: 900, commit: true }, noon("2025-01-11"));
      const cancel = { body: { customerId: "c1" }, now: noon("2025-01-12") };
      await shop.settle(await shop.ok<Position>(202, "POST", "/v1/orders/o1/cancel", cancel));
      await buy(shop, { customerId: "c1", orderId: "o2", netMinor: 3_000, now: noon("2025-01-13") });
      const balances = { pendingMinor: 0, availableMinor: 0, reservedMinor: 0, debtMinor: 600, balanceMinor: -600 };
      expect(await shop.get("/v1/customers/c1")).toMatchObject({ tier: null, cashback: { ...balances, nextExpiry: null } });
      const transfers = await shop.list<{ kind: string; debit: string; credit: string; amountMinor: number; orderId: string }>(
        "/v1/customers/c1/transfers",
      );
      expect(
        transfers.map(({ kind, debit, credit, amountMinor, orderId }) => `${kind} ${debit}>${credit} ${amountMinor} ${orderId}`),
      ).toEqual([
        "debt_paid available>debt 300 o2",
        "award cost>available 300 o2",
        "clawback debt>cost 900 o1",
        "clawback available>cost 100 o1",
        "redeem available>redeemed 900 o1",
        "award cost>available 1000 o1",
      ]);
      const notes = await shop.list<{ type: string; data: { amountMinor: number; balanceMinor: number } }>(
        "/v1/customers/c1/notifications",
      );
      expect(notes.map(({ type, data }) => [type, data.amountMinor, data.balanceMinor])).toEqual([
        ["CashbackEarned", 300, -600],
        ["CashbackReversed", 1_000, -900],
        ["CashbackRedeemed", 900, 100],
        ["CashbackEarned", 1_000, 1_000],
      ]);
    });
  });
}

async function expectCauses(shop: Shop): Promise<void> {
  const transfers = await shop.list<{ kind: string; debit: string; credit: string; cause: object }>("/v1/customers/c1/transfers");
  const seen = new Set(transfers.map(({ kind, debit, credit, cause }) => `${kind} ${debit}>${credit} by ${Object.keys(cause).join()}`));
  expect([...seen].toSorted()).toEqual([
    "award cost>available by topic,partition,offset",
    "clawback available>cost by topic,partition,offset",
    "put_back redeemed>available by topic,partition,offset",
    "redeem reserved>redeemed by requestId",
    "release reserved>available by requestId",
    "reserve available>reserved by requestId",
  ]);
}
