import chromium from "@sparticuz/chromium";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { chromium as playwright } from "playwright-core";

/**
 * Arguments of the package that are made for a function service: one process ends with its first context, and without
 * web security a page that CORS forbids would pass.
 */
const unwanted = new Set(["--single-process", "--no-zygote", "--disable-web-security", "--allow-running-insecure-content"]);

/** Starts the headless Chromium that comes as an npm package: nothing has to be installed by hand. */
export async function openBrowser(): Promise<Browser> {
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args.filter((arg) => !unwanted.has(arg)), "--no-sandbox"],
    headless: true,
  });
}

export interface OpenedPage {
  page: Page;
  /** What went wrong in the page so far: uncaught errors, console errors (CSP too), failed loads. Empty is good. */
  errors: string[];
}

/** A page in a context of its own (storage, colour scheme, width), with its errors collected. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<OpenedPage> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    // A 404 is an answer of the API (a customer before the first order), though Chromium logs it as an error.
    if (message.type() === "error" && !message.text().includes("status of 404")) errors.push(message.text());
  });
  return { page, errors };
}

/** The widths and colour schemes in which a page has to look right. */
export const looks: readonly { name: string; options: BrowserContextOptions }[] = [
  { name: "phone-light", options: { viewport: { width: 360, height: 780 }, colorScheme: "light", deviceScaleFactor: 2 } },
  { name: "phone-dark", options: { viewport: { width: 360, height: 780 }, colorScheme: "dark", deviceScaleFactor: 2 } },
  { name: "desktop-light", options: { viewport: { width: 1_280, height: 900 }, colorScheme: "light" } },
  { name: "desktop-dark", options: { viewport: { width: 1_280, height: 900 }, colorScheme: "dark" } },
];
