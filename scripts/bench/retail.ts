import { spawn } from "node:child_process";
import { join } from "node:path";
import { openBed, type Bed } from "../bed/bed.ts";
import { call } from "../bed/merchants.ts";
import { serviceEnvironment, sourceArguments } from "../start/run-services.ts";
import { services } from "../start/services.ts";

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
    { id: "silver", name: "Silver", threshold: 50_000, cashbackMultiplierBps: 12_500 },
    { id: "gold", name: "Gold", threshold: 200_000, cashbackMultiplierBps: 15_000 },
    { id: "platinum", name: "Platinum", threshold: 1_000_000, cashbackMultiplierBps: 20_000 },
  ],
};
const campaign = {
  id: "everyday",
  name: "Everyday",
  rateBps: 200,
  holdDays: 14,
  expiry: { type: "days", days: 365 },
  startsAt: "2000-01-01T00:00:00Z",
  status: "active",
};

/** Imports a retail file into a merchant with a ladder and a campaign, waits until all is settled, and sums up. */
export async function retail(file: string, say: (line: string) => void): Promise<Record<string, unknown>> {
  const bed = await openBed(say);
  try {
    await bed.start(services.map(({ name }) => name));
    const api = bed.urlOf("merchant-api");
    const shop = { name: "Retail", currency: "GBP", timeZone: "Europe/London", clock: "manual" };
    const made = await call<{ merchantId: string; apiKey: string }>(api, "POST", "/v1/merchants", { "x-api-key": "development" }, shop);
    const auth = { "x-api-key": made.apiKey };
    await call(api, "PUT", "/v1/tiers", { ...auth, "if-match": '"0"' }, ladder);
    await call(api, "POST", "/v1/campaigns", auth, campaign);
    const began = performance.now();
    const imported = await runImport(bed, file, made.merchantId);
    const sentAt = performance.now();
    await call(api, "POST", "/v1/dev/settle", auth, { positions: imported.positions, timeoutSeconds: 120 });
    const settledAt = performance.now();
    await call(api, "POST", "/v1/dev/sweep", auth, { at: "2011-12-10T00:00:00Z" });
    return {
      bench: "retail",
      file,
      events: imported.events,
      orders: imported.orders,
      refunds: imported.refunds,
      secondsToSend: seconds(sentAt - began),
      secondsToSettle: seconds(settledAt - began),
      eventsPerSecond: Math.round(imported.events / ((settledAt - began) / 1_000)),
      ...(await totals(bed, made.merchantId)),
    };
  } finally {
    await bed.close();
  }
}

interface Imported {
  readonly events: number;
  readonly orders: number;
  readonly refunds: number;
  readonly positions: readonly { partition: number; offset: number }[];
}

async function runImport(bed: Bed, file: string, merchantId: string): Promise<Imported> {
  const { root } = bed.settings;
  const env = serviceEnvironment(services, bed.settings, bed.stack);
  const child = spawn(
    process.execPath,
    [...sourceArguments(join(root, "scripts", "import-online-retail.ts")), file, "--merchant", merchantId],
    { cwd: process.cwd(), env, stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise((resolve) => child.on("exit", resolve));
  if (code !== 0) throw new Error(`the import ended with ${String(code)}`);
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Imported;
}

async function totals(bed: Bed, merchantId: string): Promise<Record<string, unknown>> {
  const [row] = await bed.sql<Record<string, unknown>[]>`
    WITH m AS (SELECT id FROM merchant.merchant WHERE merchant_id = ${merchantId})
    SELECT (SELECT count(*)::int FROM tier.account a, m WHERE a.merchant = m.id AND a.known) AS customers,
      (SELECT json_object_agg(coalesce(level, 'none'), n) FROM (SELECT level, count(*) AS n FROM tier.account a, m WHERE a.merchant = m.id AND a.known GROUP BY level) l) AS "customersPerTier",
      (SELECT count(*)::int FROM tier.history h JOIN tier.account a USING (acct), m WHERE a.merchant = m.id) AS "tierChanges",
      (SELECT json_build_object('grantedMinor', sum(granted), 'pendingMinor', sum(l.pending), 'availableMinor', sum(l.available), 'expiredMinor', sum(expired), 'reversedMinor', sum(reversed), 'lots', count(*))
         FROM cashback.lot l JOIN cashback.account a USING (acct), m WHERE a.merchant = m.id) AS cashback,
      (SELECT sum(debt)::text FROM cashback.account a, m WHERE a.merchant = m.id) AS "debtMinor",
      (SELECT count(*)::int FROM inbox.notification) AS notifications,
      (SELECT count(*)::int FROM tier.dead_letter) + (SELECT count(*)::int FROM cashback.dead_letter) AS "deadLetters"`;
  return row ?? {};
}

function seconds(ms: number): number {
  return Number((ms / 1_000).toFixed(1));
}
