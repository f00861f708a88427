import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

/** What a merchant's shop does: orders, and now and then a customer redeems. */
export interface Traffic {
  /** Ids of orders that were answered with 202. */
  readonly accepted: readonly string[];
  /** Requests that were not answered well, also after the documented repeats. */
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

export interface Shop {
  /** Of the merchant API, or of what stands before its instances. */
  readonly origin: string;
  readonly apiKey: string;
  readonly customers: readonly string[];
}

const WORKERS = 4;
const PAUSE_MS = 150;
const REDEEM_EVERY = 10;
const REPEATED_MS = 60_000;

/** @param redeems whether customers redeem; a redemption is a command, which only the database keeps */
export function startTraffic(shop: Shop, redeems: boolean): Traffic {
  const accepted: string[] = [];
  const failures: string[] = [];
  const stopping = new AbortController();
  const work = async (worker: number): Promise<void> => {
    for (let i = worker; !stopping.signal.aborted; i += WORKERS) {
      const customerId = shop.customers[i % shop.customers.length]!;
      try {
        if (redeems && i % REDEEM_EVERY === 0) {
          const body = { customerId, amountMinor: 1, ttlSeconds: 60, commit: true };
          await send(shop, "POST", "/v1/redemptions", [201, 409], body);
        } else accepted.push(await placeOrder(shop, customerId));
      } catch (error) {
        failures.push(String(error));
      }
      await wait(PAUSE_MS);
    }
  };
  const workers = Array.from({ length: WORKERS }, (_, worker) => work(worker));
  return {
    accepted,
    failures,
    async stop() {
      stopping.abort();
      await Promise.all(workers);
    },
  };
}

/** Returns the order's id. */
async function placeOrder(shop: Shop, customerId: string): Promise<string> {
  const orderId = randomUUID();
  const lines = [{ sku: "mug", category: "coffee", quantity: 1, netMinor: 2_500 }];
  await send(shop, "POST", "/v1/orders", [202], { orderId, customerId, lines });
  return orderId;
}

export async function customerToken(shop: Shop, customerId: string): Promise<{ token: string; url: string }> {
  return JSON.parse(await send(shop, "POST", `/v1/customers/${customerId}/tokens`, [201], {})) as { token: string; url: string };
}

/** As docs/merchant-api.md has it: with a key, and once more when the line broke or the answer says that it may succeed later. */
async function send(shop: Shop, method: string, path: string, expected: readonly number[], body: object): Promise<string> {
  const headers = { "x-api-key": shop.apiKey, "content-type": "application/json", "idempotency-key": randomUUID() };
  const end = performance.now() + REPEATED_MS;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(shop.origin + path, { method, headers, body: JSON.stringify(body) }).catch((error: unknown) =>
      String(error),
    );
    const text = typeof answer === "string" ? answer : await answer.text().catch(String);
    const status = typeof answer === "string" ? 0 : answer.status;
    if (expected.includes(status)) return text;
    const mayRepeat = status === 0 || status === 429 || status === 503;
    if (!mayRepeat || performance.now() > end) throw new Error(`${method} ${path}: ${status} ${text} (attempt ${attempt})`);
    const seconds = typeof answer === "string" ? 0.5 : Number(answer.headers.get("retry-after") ?? Number.NaN);
    if (Number.isNaN(seconds)) throw new Error(`${method} ${path}: ${status} without Retry-After`);
    await wait(seconds * 1_000);
  }
}
