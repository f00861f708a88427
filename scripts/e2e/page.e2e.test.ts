import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Api, Customer } from "./api.ts";
import { makeMerchant } from "./api.ts";
import { looks, openBrowser, openPage } from "./browser.ts";
import type { Product } from "./product.ts";
import { runScript, startProduct } from "./product.ts";

/*
 * The whole way: real orders of a shop through Kafka, both programs, inbox and notifier into a browser. The steps of a
 * describe block build on each other.
 */

const sample = fileURLToPath(new URL("../data/online-retail-sample.csv", import.meta.url));
const pushWithinMs = 30_000;
const poll = { timeout: 45_000, interval: 100 };

const shop = { name: "Online Retail", currency: "GBP", timeZone: "Europe/London", clock: "manual" };
const ladder = {
  settings: { metric: "net_spend", window: "lifetime", refundPolicy: "immediate", downgrade: "drop_to_qualified", graceDays: 0 },
  levels: [
    { id: "bronze", name: "Bronze", threshold: 1, cashbackMultiplierBps: 10_000 },
    { id: "silver", name: "Silver", threshold: 50_000, cashbackMultiplierBps: 12_500 },
    { id: "gold", name: "Gold", threshold: 10_000_000, cashbackMultiplierBps: 15_000 },
  ],
};
const campaign = {
  id: "everyday",
  name: "Everyday",
  rateBps: 300,
  startsAt: "2010-01-01T00:00:00Z",
  tierMultiplier: true,
  status: "active",
};

let product: Product;
let browser: Browser;
let merchantId: string;
let api: Api;
let customerId: string;
let page: Page;
let errors: string[];

beforeAll(async () => {
  [product, browser] = await Promise.all([startProduct(), openBrowser()]);
  ({ merchantId, api } = await makeMerchant(product.merchantApi, shop));
  await api.replace("/v1/tiers", ladder);
  await api.call("POST", "/v1/campaigns", campaign);
  customerId = busiestCustomer();
  ({ page, errors } = await openPage(browser));
}, 600_000);

afterAll(async () => {
  await browser?.close();
  await product?.stop();
}, 600_000);

/** The customer with the most invoices in the sample: whoever it is, there is something to see. */
function busiestCustomer(): string {
  const invoices = new Map<string, Set<string>>();
  for (const row of readFileSync(sample, "utf8").split("\n")) {
    const [, invoice, customer] = /^(\d+),.*,(\d+)(?:\.0)?,[^,]*$/.exec(row.trim()) ?? [];
    if (invoice === undefined || customer === undefined) continue;
    invoices.set(customer, (invoices.get(customer) ?? new Set()).add(invoice));
  }
  const [first] = [...invoices].toSorted(([, a], [, b]) => b.size - a.size);
  if (first === undefined) throw new Error("no customer in the sample");
  return first[0];
}

const address = (): string => `${product.customerPage}?customer=${customerId}&merchant=${merchantId}`;
const online = (at: Page): Promise<unknown> => at.locator('#live[data-status="online"]').waitFor({ timeout: pushWithinMs });
const text = (selector: string): Promise<string | null> => page.textContent(selector);
const unreadIn = (at: Page): Promise<number> => at.locator("#notes .unread").count();
const pounds = (minor: number): string => new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP" }).format(minor / 100);

/** Whatever the page shows must come to agree with what the API says. */
async function expectAgreement(): Promise<void> {
  const customer = await api.call<Customer>("GET", `/v1/customers/${customerId}`);
  await expect.poll(() => text("#tier-name"), poll).toBe(customer.tier?.name ?? "No tier yet");
  await expect.poll(() => text("#available"), poll).toBe(pounds(customer.cashback.availableMinor));
  await expect.poll(() => text("#pending"), poll).toBe(pounds(customer.cashback.pendingMinor));
  const missing = customer.nextTier === null ? "You are at the top" : `${pounds(customer.nextTier.missing)} to ${customer.nextTier.name}`;
  await expect.poll(() => text("#tier-next"), poll).toBe(missing);
}

describe("a customer of the Online Retail shop", () => {
  it("is shown before the first order", async () => {
    await page.goto(address());
    await online(page);
    expect(await text("#tier-name")).toBe("No tier yet");
    expect(await text("#available")).toBe("£0.00");
    expect(await page.isVisible("#notes-none")).toBe(true);
  });

  it("sees pushes arrive while the shop's history is imported, and then what the API says", async () => {
    const importing = runScript("import-online-retail.ts", [sample, "--merchant", merchantId, "--speed", "max"], product.env);
    await Promise.all([page.locator("#notes .note").first().waitFor({ timeout: 120_000 }), importing]);
    const { positions } = JSON.parse(await importing) as { positions: { partition: number; offset: number }[] };
    expect(positions.length).toBeGreaterThan(0);
    await api.call("POST", "/v1/dev/settle", { positions, timeoutSeconds: 120 });

    const stored = await api.call<{ data: { id: string }[] }>("GET", `/v1/customers/${customerId}/notifications?limit=200`);
    expect(stored.data.length).toBeGreaterThan(2);
    const shown = (): Promise<string[]> => page.evaluate("[...document.querySelectorAll('#notes .note')].map((note) => note.dataset.id)");
    await expect.poll(shown, poll).toEqual(stored.data.map((note) => note.id));
    await expectAgreement();
    const earned = stored.data.length;
    expect(await text("#unread")).toBe(`${earned} new`);
  }, 600_000);

  it("sees the push of an order that the page sends", async () => {
    const before = await page.locator("#notes .note").count();
    // The card of the new tier from the import may still lie over the form.
    await page.keyboard.press("Escape");
    await page.fill("#order-amount", "25.50");
    await page.click("#order-send");
    const toast = page.locator('.toast[data-type="CashbackEarned"]').last();
    await toast.waitFor({ timeout: pushWithinMs });
    expect(await toast.textContent()).toContain("Everyday");
    await expect.poll(() => text("#order-status"), poll).toBe("Order of £25.50 counted.");
    await expect.poll(() => page.locator("#notes .note").count(), poll).toBeGreaterThan(before);
    await expectAgreement();
  }, 600_000);

  it("sees the refund when the order is cancelled", async () => {
    await page.click("#order-cancel");
    await page.locator('#notes .note[data-type="CashbackReversed"]').first().waitFor({ timeout: pushWithinMs });
    await expect.poll(() => text("#order-status"), poll).toBe("Order cancelled.");
    await expectAgreement();
  }, 600_000);

  it("reads everything at once, on every device", async () => {
    const second = await openPage(browser, looks[0]?.options);
    await second.page.goto(address());
    await online(second.page);
    expect(await unreadIn(second.page)).toBeGreaterThan(0);
    // Clicks go through a toast, but not through its close button, and it stays for as long as the pointer is there.
    await page.mouse.move(0, 0);
    await expect.poll(() => page.locator(".toast").count(), poll).toBe(0);
    await page.click("#read-all");
    await expect.poll(() => unreadIn(second.page), poll).toBe(0);
    expect(await unreadIn(page)).toBe(0);
    await second.page.reload();
    await online(second.page);
    expect(await unreadIn(second.page)).toBe(0);
    expect(second.errors).toEqual([]);
    await second.page.context().close();
  }, 600_000);

  it("gets what was missed when the connection comes back", async () => {
    await page.goto("about:blank");
    const orderId = `away-${Date.now()}`;
    const lines = [{ sku: "demo", quantity: 1, netMinor: 10_000 }];
    const placed = await api.call<{ partition: number; offset: number }>("POST", "/v1/orders", { orderId, customerId, lines });
    const { partition, offset } = placed;
    await api.call("POST", "/v1/dev/settle", { positions: [{ partition, offset }], timeoutSeconds: 60 });
    await page.goto(address());
    await online(page);
    await expect.poll(() => page.locator('#notes .note.unread[data-type="CashbackEarned"]').count(), poll).toBe(1);
    await expectAgreement();
  }, 600_000);

  it("is told when the shop disconnects, and can come back", async () => {
    const notifier = product.notifier.replace(/^ws/, "http");
    const { token } = await api.call<{ token: string }>("POST", "/v1/dev/sign-in", { merchantId });
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${notifier}/v1/disconnect/${customerId}`, { method: "POST", headers });
    expect(await answer.json()).toEqual({ closed: 1 });
    await page.locator('#live[data-status="closed"]').waitFor({ timeout: pushWithinMs });
    await page.click("#live-retry");
    await online(page);
  }, 600_000);

  it("finds no error in the page", () => {
    expect(errors).toEqual([]);
  });
});

it.each(looks)(
  "fits $name without scrolling sideways",
  async ({ options }) => {
    const look = await openPage(browser, options);
    await look.page.goto(product.customerPage);
    await look.page.locator("#sign-in").waitFor();
    const overflow = (): Promise<boolean> => look.page.evaluate("document.documentElement.scrollWidth > innerWidth");
    expect(await overflow()).toBe(false);
    await look.page.goto(address());
    await online(look.page);
    expect(await overflow()).toBe(false);
    expect(look.errors).toEqual([]);
    await look.page.context().close();
  },
  60_000,
);
