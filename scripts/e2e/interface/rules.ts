import { describe, expect, it } from "vitest";
import { enc, expectProblem, ifMatch, noon, openShop, twoLevels } from "./shop.ts";

const now = noon("2025-01-01");

interface Ladder {
  version: number;
  settings: object;
  levels: { id: string; name: string }[];
}

/** Ladders and campaigns: shapes, defaults, versions, limits. */
export function describeRules(api: () => string): void {
  describe("a ladder", () => {
    it("is version 0 with the default settings, and each accepted edit is a version", async () => {
      const shop = await openShop(api());
      const fresh = await shop.send("GET", "/v1/tiers");
      expect(fresh.body).toEqual({ version: 0, settings: twoLevels.settings, levels: [] });
      expect(fresh.headers.get("etag")).toBe('"0"');
      const put = (version: number, body: object = twoLevels) => shop.send("PUT", "/v1/tiers", { body, headers: ifMatch(version), now });
      expectProblem(await shop.send("PUT", "/v1/tiers", { body: twoLevels, now }), 428, "precondition_required");
      expectProblem(await shop.send("PUT", "/v1/tiers?preview=true", { body: twoLevels, now }), 428, "precondition_required");
      expectProblem(await put(1), 412, "stale_version");
      expect((await put(0)).body).toEqual({ version: 1, ...twoLevels });
      expect(await put(1)).toMatchObject({ status: 200, body: { version: 2 } });

      const [base, gold] = twoLevels.levels;
      for (const levels of [
        [gold, base],
        [base, { ...gold, threshold: 0 }],
        [base, { ...gold, id: "base" }],
      ])
        expectProblem(await put(2, { ...twoLevels, levels }), 400, "invalid_request");
      expect(await shop.get("/v1/tiers")).toMatchObject({ version: 2 });
    });

    it("has days only with a window of days", async () => {
      const shop = await openShop(api());
      const { days, ...settings } = { ...twoLevels.settings, window: "lifetime" };
      for (const [version, given] of [settings, { ...settings, days }, { ...settings, days: null }].entries()) {
        const body = { settings: given, levels: twoLevels.levels };
        expect(await shop.ok<Ladder>(200, "PUT", "/v1/tiers", { body, headers: ifMatch(version), now })).toMatchObject({ settings });
        expect(Object.keys((await shop.get<Ladder>("/v1/tiers")).settings)).not.toContain("days");
      }
    });

    it("is edited level by level, with previews, whatever is in an id", async () => {
      const shop = await openShop(api());
      await shop.ok(200, "PUT", "/v1/tiers", { body: twoLevels, headers: ifMatch(0), now });
      const level = { name: "Top", threshold: 50_000, cashbackMultiplierBps: 20_000 };
      const added = await shop.ok<Ladder>(201, "POST", "/v1/tiers", { body: level, now });
      expect(added.levels[2]?.id).toMatch(/./);
      const odd = "o/d d?#ü%2F";
      expect(await shop.ok(201, "POST", "/v1/tiers", { body: { ...level, id: odd, threshold: 60_000 }, now })).toMatchObject({
        version: 3,
      });
      expectProblem(await shop.send("POST", "/v1/tiers", { body: { ...level, id: odd, threshold: 70_000 } }), 409, "id_taken");
      const path = `/v1/tiers/${enc(odd)}`;
      expectProblem(await shop.send("PATCH", path, { body: { name: "Odd" } }), 428, "precondition_required");
      expectProblem(await shop.send("PATCH", path, { body: { name: "Odd" }, headers: ifMatch(2) }), 412, "stale_version");
      expectProblem(await shop.send("PATCH", "/v1/tiers/none", { body: { name: "Odd" }, headers: ifMatch(3) }), 404, "not_found");
      const nobody = { up: 0, down: 0, stay: 0 };
      expect(await shop.ok(200, "PATCH", `${path}?preview=true`, { body: { threshold: 55_000 }, headers: ifMatch(3) })).toEqual(nobody);
      const patched = await shop.ok<Ladder>(200, "PATCH", path, { body: { name: "Odd", threshold: null }, headers: ifMatch(3) });
      expect(patched).toMatchObject({ version: 4, levels: [{}, {}, {}, { id: odd, name: "Odd", threshold: 60_000 }] });
      expect(await shop.ok(200, "DELETE", `${path}?preview=true&apply=grandfather`)).toEqual(nobody);
      expect(await shop.ok<Ladder>(200, "DELETE", path)).toMatchObject({ version: 5 });
      expectProblem(await shop.send("DELETE", path), 404, "not_found");
    });
  });

  describe("a campaign", () => {
    const defaults = {
      startsAt: "2000-01-01T00:00:00.000Z",
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
    };
    const given = {
      name: "Spring",
      startsAt: "2020-01-01T12:00:00.000Z",
      endsAt: "2026-01-01T12:00:00.000Z",
      include: { skus: ["a"], categories: null },
      exclude: { skus: null, categories: ["x"] },
      minOrderMinor: 5,
      stacking: "add",
      priority: -3,
      perOrderCapMinor: 10,
      perCustomerCap: { amountMinor: 5, period: "day" },
      budgetMinor: 5_000,
      holdDays: 3,
      expiry: { type: "end_of_month", months: 0 },
      tierMultiplier: false,
    };

    it("has defaults, and a PATCH changes what is given and clears what is null", async () => {
      const shop = await openShop(api());
      const made = await shop.ok<{ id: string; name: string }>(201, "POST", "/v1/campaigns", { body: { rateBps: 250 }, now });
      const { id } = made;
      expect(made).toEqual({ ...defaults, id, name: id, rateBps: 250, status: "draft", version: 1 });
      const path = `/v1/campaigns/${enc(id)}`;
      const patch = (version: number, body: object) => shop.send("PATCH", path, { body, headers: ifMatch(version), now });
      expectProblem(await shop.send("PATCH", path, { body: {} }), 428, "precondition_required");
      expectProblem(await patch(2, {}), 412, "stale_version");
      expect((await patch(1, given)).body).toEqual({ ...given, id, rateBps: 250, status: "draft", version: 2 });
      const nothing = Object.fromEntries(Object.keys(given).map((name) => [name, null]));
      const cleared = await patch(2, { ...nothing, rateBps: 300 });
      expect(cleared.body).toEqual({ ...defaults, id, name: id, rateBps: 300, status: "draft", version: 3 });
      expect(cleared.headers.get("etag")).toBe('"3"');
      expect(await shop.get(path)).toEqual(cleared.body);
      expect(await shop.get(`${path}/stats`)).toEqual({
        campaignId: id,
        awardedMinor: 0,
        reversedMinor: 0,
        usedMinor: 0,
        redeemedMinor: 0,
        budgetLeftMinor: null,
        customers: 0,
      });
    });

    it("changes its status to any but draft, and is deleted only as one", async () => {
      const shop = await openShop(api());
      const id = "c/ü 1";
      const path = `/v1/campaigns/${enc(id)}`;
      await shop.ok(201, "POST", "/v1/campaigns", { body: { id, rateBps: 100_000 }, now });
      expectProblem(await shop.send("POST", "/v1/campaigns", { body: { id, rateBps: 1 } }), 409, "id_taken");
      for (const [step, status, version] of [
        ["activate", "active", 2],
        ["pause", "paused", 3],
        ["end", "ended", 4],
      ] as const)
        expect(await shop.ok(200, "POST", `${path}/${step}`)).toMatchObject({ status, version });
      expect(await shop.ok(200, "PATCH", path, { body: { status: "active", priority: 7 }, headers: ifMatch(4) })).toMatchObject({
        status: "active",
        priority: 7,
        version: 5,
      });
      expectProblem(await shop.send("PATCH", path, { body: { status: "draft" }, headers: ifMatch(5) }), 409, "invalid_transition");
      expectProblem(await shop.send("DELETE", path), 409, "not_draft");
      await shop.ok(201, "POST", "/v1/campaigns", { body: { id: "draft", rateBps: 1 } });
      await shop.ok(204, "DELETE", "/v1/campaigns/draft");
      expectProblem(await shop.send("GET", "/v1/campaigns/draft"), 404, "not_found");
    });

    it.each([
      { rateBps: 0 },
      { rateBps: 100_001 },
      { budgetMinor: 0 },
      { perOrderCapMinor: 0 },
      { perCustomerCap: { amountMinor: 0, period: "day" } },
      { perCustomerCap: { amountMinor: 1, period: "year" } },
      { expiry: { type: "days", days: 0 } },
      { priority: 1.5 },
      { status: "ended" },
    ])("cannot have %j", async (field) => {
      const shop = await openShop(api());
      expectProblem(await shop.send("POST", "/v1/campaigns", { body: { rateBps: 1, ...field } }), 400, "invalid_request");
    });
  });
}
