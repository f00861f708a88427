import type { OrderEvent } from "@perkstream/contracts";
import { Client } from "../play/client.ts";
import { differences, type Difference } from "../play/difference.ts";
import { compareCustomer } from "./compare.ts";
import { expectedOf } from "./expected.ts";
import { campaign, ladder, merchant, sweptAt } from "./rules.ts";

export interface ImportedRetail {
  readonly events: number;
  readonly orders: number;
  readonly refunds: number;
  readonly positions: readonly { readonly partition: number; readonly offset: number }[];
}

export interface CheckOptions {
  readonly api: string;
  readonly bootstrapKey: string;
  /** What the file says, in the order of events. */
  readonly events: readonly OrderEvent[];
  /** Imports the file into this merchant; resolves when all is acknowledged. */
  readonly runImport: (merchantId: string) => Promise<ImportedRetail>;
  readonly say: (text: string) => void;
}

export interface Checked {
  readonly merchantId: string;
  readonly differences: readonly Difference[];
  readonly figures: Readonly<Record<string, number>>;
}

const settleSeconds = 120;
/** Each waits two minutes. */
const maxWaits = 15;
const customersAtOnce = 8;

/**
 * Imports a file into a merchant with a rolling ladder and a campaign with hold and expiry, sweeps to long after its end, and
 * compares each customer with the reference model, and the whole with sums over the file.
 */
export async function checkImport({ api, bootstrapKey, events, runImport, say }: CheckOptions): Promise<Checked> {
  const bootstrap = new Client(api, { "x-api-key": bootstrapKey });
  const body = { name: "Online Retail", ...merchant, clock: "manual" };
  const made = await bootstrap.call<{ merchantId: string; apiKey: string }>("POST", "/v1/merchants", [201], { body });
  const owner = new Client(api, { "x-api-key": made.apiKey });
  const firstAt = new Date(events[0]?.occurredAt ?? 0).toISOString();
  await owner.call("PUT", "/v1/tiers", [200], { body: ladder, headers: { "if-match": '"0"' }, now: firstAt });
  await owner.call("POST", "/v1/campaigns", [201], { body: campaign, now: firstAt });
  const began = performance.now();
  const seconds = () => Number(((performance.now() - began) / 1_000).toFixed(1));
  const imported = await runImport(made.merchantId);
  const secondsToSend = seconds();
  await untilDone(owner, "/v1/dev/settle", { positions: imported.positions, timeoutSeconds: settleSeconds });
  const secondsToSettle = seconds();
  say(`imported and settled in ${secondsToSettle} s`);
  await untilDone(owner, "/v1/dev/sweep", { at: sweptAt });
  const secondsToSweep = Number((seconds() - secondsToSettle).toFixed(1));
  say(`swept to ${sweptAt} in ${secondsToSweep} s`);
  const byCustomer = Map.groupBy(events, ({ customerId }) => customerId);
  const found = [...(await compareAll(byCustomer, owner, say)), ...(await compareWhole(events, byCustomer, owner))];
  const sums = { events: imported.events, orders: imported.orders, refunds: imported.refunds, customers: byCustomer.size };
  return { merchantId: made.merchantId, differences: found, figures: { ...sums, secondsToSend, secondsToSettle, secondsToSweep } };
}

/** Repeats a request that answers 504 when it was not done in time. */
async function untilDone(owner: Client, path: string, body: object): Promise<void> {
  for (let wait = 1; wait < maxWaits; wait += 1) if ((await owner.send("POST", path, { body })).status === 200) return;
  await owner.call("POST", path, [200], { body });
}

async function compareAll(
  byCustomer: ReadonlyMap<string, readonly OrderEvent[]>,
  owner: Client,
  say: (text: string) => void,
): Promise<Difference[]> {
  const waiting = [...byCustomer];
  const found: Difference[] = [];
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [customerId, events] = next;
      const wrong = await compareCustomer(customerId, expectedOf(events), owner);
      found.push(...wrong.map((difference) => ({ ...difference, path: `${customerId} ${difference.path}` })));
      if (waiting.length % 100 === 0)
        say(`${byCustomer.size - waiting.length} of ${byCustomer.size} customers, ${found.length} differences`);
    }
  };
  await Promise.all(Array.from({ length: customersAtOnce }, work));
  return found;
}

/** What needs no model: every event was counted once, nobody is missing or too many, and nothing is left. */
async function compareWhole(
  events: readonly OrderEvent[],
  byCustomer: ReadonlyMap<string, readonly OrderEvent[]>,
  owner: Client,
): Promise<Difference[]> {
  const counts = { events: events.length, duplicates: 0, parked: 0 };
  const customers = await owner.list<{ customerId: string }>("/v1/customers", sweptAt, byCustomer.size);
  const letters = await owner.list("/v1/dead-letters", sweptAt);
  const stats = await owner.find<Stats>(`/v1/campaigns/${campaign.id}/stats`, sweptAt);
  return [
    ...differences("counts", { tier: counts, cashback: counts }, await owner.find("/v1/dev/counts", sweptAt)),
    ...differences(
      "customers",
      [...byCustomer.keys()].toSorted(),
      customers?.map(({ customerId }) => customerId),
    ),
    ...differences("dead letters", [], letters),
    ...differences("stats", true, stats !== null && stats.awardedMinor > 0 && stats.usedMinor === stats.awardedMinor - stats.reversedMinor),
  ];
}

interface Stats {
  readonly awardedMinor: number;
  readonly reversedMinor: number;
  readonly usedMinor: number;
}
