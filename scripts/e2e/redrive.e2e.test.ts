import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeMerchant, type Api } from "./api.ts";
import { type Product, runScript, startProduct } from "./product.ts";

let product: Product;
let merchantId: string;
let api: Api;

beforeAll(async () => {
  product = await startProduct();
  ({ merchantId, api } = await makeMerchant(product.merchantApi, { name: "Yen", currency: "EUR", timeZone: "UTC" }));
}, 600_000);
afterAll(() => product?.stop(), 90_000);

interface Sent {
  readonly positions: readonly { readonly partition: number; readonly offset: number }[];
  readonly orders: number;
}

const settle = (positions: Sent["positions"]) => api.call("POST", "/v1/dev/settle", { positions, timeoutSeconds: 120 });
const redrive = async (...args: string[]) =>
  JSON.parse(
    await runScript("redrive.ts", ["--merchant", merchantId, ...args], { ...product.env, MERCHANT_API_URL: product.merchantApi }),
  ) as object;
const counts = () => api.call<Record<string, { events: number; duplicates: number; parked: number }>>("GET", "/v1/dev/counts");

describe("npm run redrive", () => {
  test("counts what was refused, once its cause is mended", async () => {
    await api.call("POST", "/v1/campaigns", { id: "k", rateBps: 1_000, status: "active" });
    const options = [
      "--merchant",
      merchantId,
      "--currency",
      "JPY",
      "--rate",
      "200",
      "--seconds",
      "2",
      "--customers",
      "40",
      "--refunds",
      "10%",
    ];
    const { positions } = JSON.parse(await runScript("simulate.ts", options, product.env)) as Sent;
    await settle(positions);
    const before = await counts();
    expect(before["tier"]!.parked).toBeGreaterThan(0);

    const reason = ["--reason", "currency_mismatch"];
    const { found } = (await redrive(...reason, "--dry-run")) as { found: number };
    expect(found).toBeGreaterThan(200);
    // Nothing is mended yet.
    expect(await redrive(...reason, "--program", "cashback", "--to", new Date().toISOString())).toEqual({
      found,
      redriven: found,
      failedAgain: found,
    });

    await api.call("PATCH", "/v1/merchant", { currency: "JPY" });
    expect(await redrive(...reason)).toEqual({ found, redriven: found, failedAgain: 0 });
    await settle([]);
    const after = await counts();
    for (const program of ["tier", "cashback"]) {
      expect(after[program]).toMatchObject({ events: before[program]!.events, parked: 0 });
    }
    const { data } = await api.call<{ data: { customerId: string; metric: number }[] }>("GET", "/v1/customers?limit=200");
    expect(data.length).toBeGreaterThan(10);
    const [first] = data;
    const notes = await api.call<{ data: object[] }>("GET", `/v1/customers/${first!.customerId}/notifications`);
    expect(notes.data).toContainEqual(expect.objectContaining({ type: "CashbackEarned" }));
    expect(await redrive()).toEqual({ found: 0, redriven: 0, failedAgain: 0 });
  }, 600_000);
});
