import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Product, runScript, startProduct } from "./product.ts";

/* A shop's real orders, held to the reference model and to verify. The whole file: docs/play.md. */

const sample = fileURLToPath(new URL("../data/online-retail-sample.csv", import.meta.url));

let product: Product;

beforeAll(async () => {
  product = await startProduct();
}, 600_000);

afterAll(() => product?.stop(), 90_000);

test("npm run check-import: orders of a real shop, swept at the end, are what the model says, and verify finds nothing", async () => {
  const env = { ...product.env, MERCHANT_API_URL: product.merchantApi };
  const checked = JSON.parse(await runScript("check-import.ts", [sample], env)) as { merchantId: string };
  expect(checked).toMatchObject({ events: 311, orders: 241, refunds: 70, customers: 51, differences: 0 });
  const verified = JSON.parse(await runScript("verify.ts", ["--json", "--merchant", checked.merchantId], env)) as object;
  expect(verified).toMatchObject({ summary: { differences: 0, checked: { "tier orders": 241 } } });
}, 600_000);
