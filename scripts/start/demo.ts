import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { patientFetch } from "../patient-fetch.ts";

const requestLimitMs = 90_000;

/** A ladder that a busy demo customer climbs within minutes; thresholds in cents. */
const ladder = {
  settings: {
    metric: "net_spend",
    window: "rolling_days",
    days: 365,
    refundPolicy: "immediate",
    downgrade: "drop_to_qualified",
    graceDays: 0,
  },
  levels: [
    { id: "bronze", name: "Bronze", threshold: 0, cashbackMultiplierBps: 10_000 },
    { id: "silver", name: "Silver", threshold: 20_000, cashbackMultiplierBps: 12_500 },
    { id: "gold", name: "Gold", threshold: 75_000, cashbackMultiplierBps: 15_000 },
    { id: "platinum", name: "Platinum", threshold: 200_000, cashbackMultiplierBps: 20_000 },
  ],
} as const;

const campaigns = [
  {
    id: "everyday",
    name: "Everyday cashback",
    rateBps: 200,
    stacking: "best",
    priority: 10,
    holdDays: 0,
    expiry: { type: "days", days: 180 },
    tierMultiplier: true,
  },
  {
    id: "coffee-week",
    name: "Coffee week",
    rateBps: 500,
    include: { categories: ["coffee"] },
    stacking: "add",
    priority: 1,
    perOrderCapMinor: 500,
    holdDays: 0,
    expiry: { type: "end_of_month", months: 2 },
    tierMultiplier: false,
  },
] as const;

const startsAt = "2020-01-01T00:00:00Z";

/** A request of a service's demo.json; it brings `If-Match: "0"` or an id, so that nothing is made twice. */
interface DemoRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

/** It is there already: 409 for an id that is taken, 412 for a version that is not 0. */
const alreadyThere = [409, 412];

/**
 * Gives the default merchant a ladder, two campaigns and what the services' demo.json say, through the merchant API, as a
 * client would; leaves what is there. Throws with the answer.
 * @param folders of the services
 */
export async function createDemo(merchantApi: string, folders: readonly string[]): Promise<void> {
  const { token } = await request<{ token: string }>(`${merchantApi}/v1/dev/sign-in`, "POST", {}, { role: "owner" });
  const auth = { authorization: `Bearer ${token}` };
  const current = await request<{ version: number }>(`${merchantApi}/v1/tiers`, "GET", auth);
  if (current.version === 0) await request(`${merchantApi}/v1/tiers`, "PUT", { ...auth, "if-match": '"0"' }, ladder);
  const { data } = await request<{ data: { id: string }[] }>(`${merchantApi}/v1/campaigns?limit=200`, "GET", auth);
  const known = new Set(data.map(({ id }) => id));
  for (const campaign of campaigns) {
    if (known.has(campaign.id)) continue;
    await request(
      `${merchantApi}/v1/campaigns`,
      "POST",
      { ...auth, "idempotency-key": randomUUID() },
      { ...campaign, startsAt, status: "active" },
    );
  }
  for (const { method, path, headers, body } of (await Promise.all(folders.map(demoOf))).flat())
    await request(`${merchantApi}${path}`, method, { ...auth, ...headers }, body, alreadyThere);
}

async function demoOf(folder: string): Promise<readonly DemoRequest[]> {
  return JSON.parse(await readFile(join(folder, "demo.json"), "utf8").catch(() => "[]"));
}

async function request<T>(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: unknown,
  accepted: readonly number[] = [],
): Promise<T> {
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await patientFetch(url, {
    method,
    headers: { ...headers, "content-type": "application/json" },
    signal: AbortSignal.timeout(requestLimitMs),
    ...content,
  });
  const text = await response.text();
  if (!response.ok && !accepted.includes(response.status))
    throw new Error(
      `The demo merchant could not be made: ${method} ${new URL(url).pathname} answered ${response.status} ${text.slice(0, 500)}`,
    );
  return JSON.parse(text);
}
