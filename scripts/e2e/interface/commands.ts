import { describe, expect, it } from "vitest";
import { buy, enc, expectProblem, ifMatch, noon, openShop, type Position, putLadder, type Shop, twoLevels } from "./shop.ts";

const now = noon("2025-01-01");
const pin = (shop: Shop, customerId: string, body: object, at: string) =>
  shop.send("PUT", `/v1/customers/${enc(customerId)}/pin`, { body: { reason: "test", ...body }, now: at });

/** Pins, promotions, ladder edits, and who is a customer. */
export function describeCommands(api: () => string): void {
  const openPinning = async () => {
    const shop = await openShop(api());
    const [base, gold] = twoLevels.levels;
    const top = { id: "top", name: "Top", threshold: 100_000, cashbackMultiplierBps: 20_000 };
    await putLadder(shop, { ...twoLevels, levels: [{ ...base, threshold: 100 }, gold, top] });
    return shop;
  };

  describe("a pin", () => {
    it("is refused without making a customer", async () => {
      const shop = await openPinning();
      expectProblem(await shop.send("DELETE", "/v1/customers/c1/pin", { now }), 409, "not_pinned");
      expectProblem(await shop.send("POST", "/v1/customers/c1/demote", { body: { reason: "x" }, now }), 409, "no_such_level");
      expectProblem(await pin(shop, "c1", { levelId: "none" }, now), 409, "unknown_level");
      expectProblem(await pin(shop, "c1", { levelId: "top", until: now }, now), 400, "invalid_request");
      expectProblem(await shop.send("GET", "/v1/customers/c1"), 404, "not_found");
    });

    it("goes one level at a time, names who set it, and ends by its until", async () => {
      const shop = await openPinning();
      const [ann, bob] = [await shop.as("operator", "ann"), await shop.as("owner")];
      const move = (by: typeof ann, to: string, at: string, body: object = {}) =>
        by.send("POST", `/v1/customers/c1/${to}`, { body: { reason: "test", ...body }, now: at });
      expect((await move(ann, "promote", now)).body).toEqual({
        customerId: "c1",
        tier: { id: "base", name: "Base", since: "2025-01-01T12:00:00.000Z", validUntil: null, pinned: true },
        metric: 0,
        lastPeriodMetric: null,
        nextTier: { id: "gold", name: "Gold", missing: 10_000 },
        cashback: {
          pendingMinor: 0,
          availableMinor: 0,
          reservedMinor: 0,
          debtMinor: 0,
          balanceMinor: 0,
          currency: "USD",
          nextExpiry: null,
        },
      });
      for (const list of ["lots", "transfers", "orders", "caps"]) expect(await shop.list(`/v1/customers/c1/${list}`)).toEqual([]);
      expectProblem(await move(ann, "demote", now), 409, "no_such_level");
      expect((await move(bob, "promote", noon("2025-01-02"))).body).toMatchObject({ tier: { id: "gold" } });
      // A second pin replaces the first; to the same level it changes no level.
      const again = await pin(shop, "c1", { levelId: "gold", until: null }, noon("2025-01-03"));
      expect(again.body).toMatchObject({ tier: { since: "2025-01-02T12:00:00.000Z" } });
      const until = noon("2025-02-01");
      const last = await ann.send("PUT", "/v1/customers/c1/pin", { body: { levelId: "top", reason: "x", until }, now: noon("2025-01-04") });
      expect(last.body).toMatchObject({ tier: { id: "top" }, nextTier: null });
      expectProblem(await move(ann, "promote", noon("2025-01-05")), 409, "no_such_level");
      expect(await shop.ok(200, "POST", "/v1/dev/sweep", { body: { at: until } })).toEqual({});
      expect(await shop.get("/v1/customers/c1")).toMatchObject({ tier: null });
      const history = await shop.list<{ from: string; to: string; reason: string; actor: string }>("/v1/customers/c1/tier-history");
      expect(history.map(({ from, to, reason, actor }) => [from, to, reason, actor]).toReversed()).toEqual([
        [null, "base", "pinned", "ann"],
        ["base", "gold", "pinned", "owner"],
        ["gold", "top", "pinned", "ann"],
        ["top", null, "unpinned", "ann"],
      ]);
    });

    it("that is answered 409 leaves what was due and the as-of; 400 leaves nothing", async () => {
      const shop = await openPinning();
      for (const customerId of ["refused", "invalid"]) await pin(shop, customerId, { levelId: "gold", until: noon("2025-02-01") }, now);
      expectProblem(await shop.send("DELETE", "/v1/customers/refused/pin", { now: noon("2025-03-01") }), 409, "not_pinned");
      expect(await shop.get("/v1/customers/refused")).toMatchObject({ tier: null });
      const later = await pin(shop, "refused", { levelId: "gold" }, noon("2025-02-15"));
      expect(later.body).toMatchObject({ tier: { since: "2025-03-01T12:00:00.000Z" } });
      const early = { levelId: "gold", until: noon("2025-02-02") };
      expectProblem(await pin(shop, "invalid", early, noon("2025-03-01")), 400, "invalid_request");
      expect(await shop.get("/v1/customers/invalid")).toMatchObject({ tier: { id: "gold" } });
    });
  });

  describe("a ladder edit", () => {
    it("tells a level that gives way to one of equal threshold as OTHER, and previews it as down", async () => {
      const shop = await openPinning();
      await buy(shop, { customerId: "c1", orderId: "o1", netMinor: 12_000, now: noon("2025-01-10") });
      const [base, gold] = twoLevels.levels;
      const body = { ...twoLevels, levels: [base, { ...gold, id: "new" }] };
      const edit = { body, headers: ifMatch(1), now: noon("2025-01-11") };
      expect(await shop.ok(200, "PUT", "/v1/tiers?preview=true", edit)).toEqual({ up: 0, down: 1, stay: 0 });
      await shop.ok(200, "PUT", "/v1/tiers", edit);
      await shop.settle();
      const [note] = await shop.list<{ at: string; data: object }>("/v1/customers/c1/notifications");
      const data = { direction: "OTHER", reason: "rules_changed", orderId: null, fromTier: "Gold", toTier: "Gold", nextTier: null };
      expect(note).toMatchObject({ at: "2025-01-11T12:00:00.000Z", data });
      // What was due before an edit is of the old version.
      await putLadder(shop, twoLevels, 2, noon("2027-01-01"));
      await shop.settle();
      const [last] = await shop.list("/v1/customers/c1/tier-history");
      expect(last).toMatchObject({ from: "new", to: "base", reason: "period_end", ruleVersion: 2, actor: "system" });
    });
  });

  describe("customers", () => {
    it("are listed by the bytes of their ids, all or of one level, in pages", async () => {
      const shop = await openPinning();
      const ids = ["B", "Z", "a", "a b", "a/b", "ä", "\u{1f600}"];
      for (const id of ids.toReversed()) await pin(shop, id, { levelId: id === "Z" ? "gold" : "top" }, now);
      const listed = await shop.list<{ customerId: string }>("/v1/customers");
      expect(listed.map(({ customerId }) => customerId)).toEqual(ids);
      expect(listed[4]).toEqual(await shop.get(`/v1/customers/${enc("a/b")}`));
      const tops = await shop.list<{ customerId: string }>("/v1/customers?tier=top");
      expect(tops.map(({ customerId }) => customerId)).toEqual(ids.filter((id) => id !== "Z"));
      const paged: string[] = [];
      for (let cursor: string | null = ""; cursor !== null;) {
        type Page = { data: { customerId: string }[]; nextCursor: string | null };
        const page: Page = await shop.get(`/v1/customers?limit=3${cursor === "" ? "" : `&cursor=${enc(cursor)}`}`);
        paged.push(...page.data.map(({ customerId }) => customerId));
        cursor = page.nextCursor;
      }
      expect(paged).toEqual(ids);
    });

    it("are not made by a refund that waits for its order", async () => {
      const shop = await openPinning();
      const body = { customerId: "c1", refundId: "r1", lines: [{ line: 0, netMinor: 1 }] };
      await shop.settle(await shop.ok<Position>(202, "POST", "/v1/orders/o1/refunds", { body, now }));
      expectProblem(await shop.send("GET", "/v1/customers/c1"), 404, "not_found");
      expect(await shop.get("/v1/dev/counts")).toMatchObject({ tier: { parked: 1 }, cashback: { parked: 1 } });
    });
  });
}
