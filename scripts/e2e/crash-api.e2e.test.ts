import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBed, type Bed } from "../bed/bed.ts";
import { call, createMerchants, type BenchMerchant } from "../bed/merchants.ts";
import { waitFor } from "./wait.ts";

let bed: Bed;
let merchant: BenchMerchant;
beforeAll(async () => {
  bed = await openBed(() => {});
  await bed.start(["tier-processor", "cashback-processor", "stamps-processor", "notifier"]);
  const api = await bed.start(["merchant-api"]);
  [merchant] = (await createMerchants(bed.urlOf("merchant-api"), 1)) as [BenchMerchant];
  await send("/v1/orders", { orderId: "first", customerId: "ada", lines: [{ sku: "mug", quantity: 1, netMinor: 100_000 }] }, "first");
  await settle();
  await api.stop();
}, 600_000);
afterAll(() => bed.close());

const send = (path: string, body: object, key: string) =>
  call<Record<string, unknown>>(bed.urlOf("merchant-api"), "POST", path, { "x-api-key": merchant.apiKey, "idempotency-key": key }, body);
const settle = () => call(bed.urlOf("merchant-api"), "POST", "/v1/dev/settle", { "x-api-key": merchant.apiKey }, { timeoutSeconds: 60 });

/** Sends to an API that ends itself at a step, then the same once more to one that does not. */
async function sendTwice(crashAt: string, path: string, body: object) {
  let ended = false;
  const dying = await bed.start(["merchant-api"], { PERKS_CRASH_AT: crashAt }, () => (ended = true));
  await expect(send(path, body, crashAt)).rejects.toThrow("fetch failed");
  await waitFor("the API has ended itself", async () => ended);
  await dying.stop();
  const living = await bed.start(["merchant-api"]);
  const answer = await send(path, body, crashAt);
  await settle();
  await living.stop();
  return answer;
}

describe("a request that is sent again after kill -9 of the API", () => {
  it.each(["command", "command-commit"])(
    "has its effect once: at %s",
    async (step) => {
      const { redemptionId } = await sendTwice(step, "/v1/redemptions", { customerId: "ada", amountMinor: 100, commit: true });
      const found = await bed.sql<{ redemption_id: string }[]>`SELECT redemption_id FROM cashback.redemption`;
      expect(found.filter(({ redemption_id }) => redemption_id === redemptionId)).toHaveLength(1);
      const [row] = await bed.sql<{ redemptions: number; told: number }[]>`SELECT
      (SELECT count(*)::int FROM cashback.redemption) AS redemptions, (SELECT sum(out_seq)::int FROM cashback.progress) AS told`;
      expect(row).toEqual({ redemptions: step === "command" ? 1 : 2, told: step === "command" ? 2 : 3 });
    },
    120_000,
  );

  it("counts its order once: at produce", async () => {
    await sendTwice("produce", "/v1/orders", { orderId: "o", customerId: "eve", lines: [{ sku: "mug", quantity: 1, netMinor: 5_000 }] });
    const counted = await bed.sql`SELECT FROM tier."order" WHERE order_id = 'o'`;
    expect(counted).toHaveLength(1);
    const [row] = await bed.sql<{ read: number; duplicates: number }[]>`SELECT
      (SELECT sum(next_off)::int FROM tier.progress) AS read, (SELECT sum(duplicates)::int FROM tier.tally) AS duplicates`;
    expect(row).toEqual({ read: 3, duplicates: 1 });
  }, 600_000);
});
