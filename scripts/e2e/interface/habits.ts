import { describe, expect, it } from "vitest";
import { Client } from "../../play/client.ts";
import { bootstrapOf, expectProblem, ifMatch, keysOf, noon, openShop, twoLevels } from "./shop.ts";

const large = (bytes: number) => ({ rateBps: 1, name: "x".repeat(bytes) });

/** What holds for every operation: credentials, errors, bodies, idempotency; and the operations of development. */
export function describeHabits(api: () => string, notifier: () => string): void {
  describe("credentials", () => {
    it("open what their role and kind say, and nothing of another merchant", async () => {
      const shop = await openShop(api());
      const [viewer, operator] = [await shop.as("viewer"), await shop.as("operator")];
      const bootstrap = bootstrapOf(api());
      const campaign = { body: { rateBps: 1 } };
      for (const path of ["/v1/dev/sweep", "/v1/dev/settle", "/v1/campaigns"])
        expectProblem(await new Client(api(), {}).send("POST", path, { body: {} }), 401, "unauthenticated");
      expectProblem(await new Client(api(), { "x-api-key": "pk_nobody" }).send("GET", "/v1/tiers"), 401, "unauthenticated");
      expectProblem(await operator.send("POST", "/v1/campaigns", campaign), 403, "forbidden");
      expectProblem(await viewer.send("POST", "/v1/orders", { body: {} }), 403, "forbidden");
      expectProblem(await bootstrap.send("GET", "/v1/tiers"), 403, "forbidden");
      expect((await bootstrap.send("GET", "/v1/dead-letters?merchant=none")).status).toBe(200);
      await shop.ok(201, "POST", "/v1/campaigns", { body: { id: "mine", rateBps: 1 } });
      expectProblem(await (await openShop(api())).send("GET", "/v1/campaigns/mine"), 404, "not_found");
    });

    it("of a customer have a lifetime by the real clock, and open nothing of the merchant", async () => {
      const shop = await openShop(api());
      const options = { body: { ttlSeconds: 5 }, now: noon("2020-01-01") };
      const askedAt = Date.now();
      const token = await shop.ok<{ token: string; expiresAt: string; url: string }>(201, "POST", "/v1/customers/c1/tokens", options);
      expect(keysOf(token)).toEqual(["expiresAt", "token", "url"]);
      expect(token.url).toBe(`${notifier()}/v1/connect`);
      // Whole seconds.
      expect(Date.parse(token.expiresAt)).toBeGreaterThan(askedAt + 5_000 - 1_000);
      expect(Date.parse(token.expiresAt)).toBeLessThanOrEqual(Date.now() + 5_000 + 1_000);
      const lasting = await shop.ok<{ token: string }>(201, "POST", "/v1/customers/c1/tokens", { body: { ttlSeconds: 60 } });
      const customer = new Client(api(), { authorization: `Bearer ${lasting.token}` });
      expectProblem(await customer.send("GET", "/v1/tiers"), 403, "forbidden");
      for (const ttlSeconds of [4, 901])
        expectProblem(await shop.send("POST", "/v1/customers/c1/tokens", { body: { ttlSeconds } }), 400, "invalid_request");
    });

    it("of a default sign-in are the demo merchant's owner", async () => {
      const signedIn = await new Client(api(), {}).call<object>("POST", "/v1/dev/sign-in", [200], { body: {} });
      expect(keysOf(signedIn)).toEqual(["merchantId", "token"]);
      expect(signedIn).toMatchObject({ merchantId: "4f981b0b-accf-4eb7-8018-7cd651c7e907" });
    });
  });

  describe("connections", () => {
    it("are kept longer than clients keep them, so that no request meets one that is being closed", async () => {
      const shop = await openShop(api());
      expect((await shop.send("GET", "/v1/tiers")).headers.get("keep-alive")).toBe("timeout=75");
    });
  });

  describe("bodies", () => {
    it("are refused when too large or not JSON, and the connection goes on", async () => {
      const shop = await openShop(api());
      const viewer = await shop.as("viewer");
      // Each is answered before its body was read; the next request takes the same connection.
      for (const refused of [
        () => shop.send("POST", "/v1/campaigns", { body: large(1_100_000) }),
        () => viewer.send("POST", "/v1/campaigns", { body: large(900_000) }),
        () => shop.send("PUT", "/v1/tiers", { body: large(900_000) }),
        () => shop.send("POST", "/v1/nothing", { body: large(900_000) }),
      ]) {
        for (let n = 0; n < 4; n += 1) {
          expect([403, 404, 413, 428]).toContain((await refused()).status);
          expect((await shop.send("GET", "/v1/tiers")).status).toBe(200);
        }
      }
      expectProblem(await shop.send("POST", "/v1/campaigns", { body: large(1_100_000) }), 413, "too_large");
      const text = { body: { rateBps: 1 }, headers: { "content-type": "text/plain" } };
      expectProblem(await shop.send("POST", "/v1/campaigns", text), 415, "unsupported_media_type");
      expectProblem(await shop.send("GET", "/v1/tiers", { now: "yesterday" }), 400, "invalid_request");
    });

    it("with an Idempotency-Key get one answer, also a 409, and also at once", async () => {
      const [shop, other] = [await openShop(api()), await openShop(api())];
      const post = (rateBps: number, key: string, by = shop) =>
        by.send("POST", "/v1/campaigns", { body: { rateBps }, headers: { "idempotency-key": key } });
      const answers = await Promise.all([post(5, "k"), post(5, "k"), post(5, "k")]);
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
      expect(new Set(answers.map(({ body }) => (body as { id: string }).id)).size).toBe(1);
      expectProblem(await post(6, "k"), 422, "idempotency_key_reused");
      expect((await post(6, "k", other)).status).toBe(201);
      expectProblem(await post(6, "k".repeat(256)), 400, "invalid_request");
      expect((await post(6, "k".repeat(255))).status).toBe(201);

      const body = { customerId: "c1", amountMinor: 1, commit: true };
      const redeem = () => shop.send("POST", "/v1/redemptions", { body, headers: { "idempotency-key": "r" } });
      const [first, again] = [await redeem(), await redeem()];
      expectProblem(first, 409, "insufficient_balance");
      expect({ ...(again.body as object), requestId: "" }).toEqual({ ...(first.body as object), requestId: "" });
    });
  });

  describe("settle", () => {
    it("says what is behind, has bounds, and waits for an edit", async () => {
      const shop = await openShop(api());
      const settle = (body: object) => shop.send("POST", "/v1/dev/settle", { body });
      expect((await settle({ positions: [] })).body).toEqual({});
      const late = await settle({ positions: [{ partition: 0, offset: 99_999_999 }], timeoutSeconds: 0.2 });
      expectProblem(late, 504, "not_settled", true);
      expect((late.body as { detail: string }).detail).toMatch(/partition 0/);
      expectProblem(await settle({ positions: [], timeoutSeconds: 121 }), 400, "invalid_request");
      // A merchant without customers has none to evaluate: its edit is settled at once.
      await shop.ok(200, "PUT", "/v1/tiers", { body: twoLevels, headers: ifMatch(0) });
      expect((await settle({ positions: [], timeoutSeconds: 60 })).status).toBe(200);
    });
  });
}
