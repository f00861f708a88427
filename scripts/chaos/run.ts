import { setTimeout as sleep } from "node:timers/promises";
import { connectRegistry, openOrderEncoder, RegistryError, topics } from "@perkstream/contracts";
import { createKafka } from "@perkstream/program";
import { waitUntil } from "@perkstream/stack";
import type { BenchMerchant } from "../bed/merchants.ts";
import { orderStream } from "../simulate/order-stream.ts";
import { seededRandom } from "../simulate/random.ts";
import { lineOf, PrintedReport } from "../verify/print.ts";
import { runVerify } from "../verify/run.ts";
import { openApiChannel } from "./api-channel.ts";
import { checkCustomer, owed } from "./checks/customers.ts";
import { checkDeadLetters } from "./checks/dead-letters.ts";
import { checkLogs, tailsOfLogs } from "./checks/logs.ts";
import { checkInbox, checkPublished, readInbox, readPublished } from "./checks/notifications.ts";
import { checkOrders } from "./checks/orders.ts";
import { OnlineCustomer } from "./customer.ts";
import { inject } from "./inject.ts";
import { seconds, standing } from "./instances.ts";
import { Ledger } from "./ledger.ts";
import { type Load, startLoad } from "./load.ts";
import { watchMemory } from "./memory.ts";
import { openProducerChannel } from "./producer-channel.ts";
import { checkRedemptions, startRedemptions, type Redemptions } from "./redemptions.ts";
import type { ChaosReport } from "./report.ts";
import { openRig, type Rig } from "./rig.ts";
import { type Choice, describeFault, type FaultKind, type Planned, schedule } from "./schedule.ts";
import { settle } from "./settle.ts";
import { createShops } from "./shops.ts";

export interface ChaosRun {
  readonly seed: number;
  readonly durationMs: number;
  readonly rate: number;
  readonly online: number;
  readonly faults: Choice;
  /** Leaves the data folder and its logs. */
  readonly keep: boolean;
  readonly say: (line: string) => void;
}

const customersPerMerchant = 60;
const mostUnhealed = 3;
const acknowledgeLimitMs = 480_000;
const settleLimitMs = 240_000;
const seenLimitMs = 60_000;
const firstOrders = 20;
const firstLimitMs = 60_000;

interface Notes {
  readonly faults: Map<FaultKind, number>;
  readonly violations: string[];
}

/**
 * A run of the fault suite:
 *
 *   stack, product ─► orders and customers ─► faults by schedule ─► all healed ─► all acknowledged ─► all settled ─► checks ─► all gone
 */
export async function runChaos(run: ChaosRun): Promise<ChaosReport> {
  const { seed, say } = run;
  const planned = schedule(seed, run.durationMs, run.faults);
  const needsDisk = planned.some(({ fault }) => fault.kind === "disk-full");
  const rig = await openRig(needsDisk, say);
  const faults = new Map<FaultKind, number>();
  const violations: string[] = [];
  const checked = new Map<string, number>();
  const logs: string[] = [];
  const memory = watchMemory(rig);
  const customers: OnlineCustomer[] = [];
  try {
    await Promise.all(standing.map(({ name }) => rig.target(name).up()));
    const merchants = await createShops(rig.merchantApi);
    customers.push(...openCustomers(run, rig, merchants));
    const { load, ledger, api, close } = await openLoad(run, rig, merchants);
    const redemptions = startRedemptions(rig.merchantApi, merchants, seededRandom(seed));
    try {
      if (!(await waitUntil(() => ledger.orders.size >= firstOrders && customers.every(({ isOnline }) => isOnline), firstLimitMs)))
        say("! not everything flows before the first fault");
      for (const customer of customers) customer.startFlapping();
      await runSchedule(rig, planned, { faults, violations }, say);
      await heal(rig);
      for (const customer of customers) customer.stopFlapping();
      redemptions.end();
      await load.end();
      const waiting = () => load.waiting() + redemptions.waiting();
      if (!(await waitUntil(() => waiting() === 0, acknowledgeLimitMs)))
        violations.push(
          `${waiting()} orders, refunds and redemptions were not acknowledged ${acknowledgeLimitMs / 1_000} s after the last fault`,
        );
    } finally {
      await Promise.all([load.stop(), redemptions.stop()]);
      await close();
    }
    say("all faults are healed, all orders acknowledged; waiting until everything is counted and seen");
    const behind = await settle(rig.sql, rig.stack.kafkaBrokers, settleLimitMs);
    if (behind !== null) violations.push(`not settled after ${settleLimitMs / 1_000} s: ${behind}`);
    violations.push(...api.violations, ...redemptions.violations, ...rig.surprises, ...memory.stop(), ...(await checkLogs(rig.dataDir)));
    violations.push(...(await check(rig, { ledger, redemptions, customers }, checked, say)));
    checked.set("deliveries repeated", load.repeats());
  } catch (error) {
    violations.push(`the run broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  } finally {
    memory.stop();
    for (const customer of customers) customer.close();
    for (const customer of customers) customer.stopFlapping();
    if (violations.length > 0) logs.push(...(await tailsOfLogs(rig.dataDir)));
    violations.push(...(await rig.close(run.keep)));
    if (run.keep) say(`data and logs are in ${rig.dataDir}`);
  }
  return { seed, violations, faults, checked, peaksMb: memory.peaks, logs };
}

function openCustomers({ seed, online }: ChaosRun, rig: Rig, merchants: readonly BenchMerchant[]): OnlineCustomer[] {
  return Array.from({ length: online }, (_, i) => {
    const { merchantId, apiKey } = merchants[i % merchants.length]!;
    const customer = new OnlineCustomer({
      merchantId,
      apiKey,
      customerId: `customer-${1 + Math.floor(i / merchants.length)}`,
      merchantApi: rig.merchantApi,
      ports: rig.pushPorts,
      random: seededRandom(seed * 1_000 + i),
    });
    customer.open();
    return customer;
  });
}

async function openLoad({ seed, rate }: ChaosRun, rig: Rig, merchants: readonly BenchMerchant[]) {
  const ledger = new Ledger();
  const kafka = createKafka({ brokers: rig.stack.kafkaBrokers.split(","), clientId: "perkstream-chaos" });
  const producer = openProducerChannel(kafka);
  const api = openApiChannel(rig.merchantApi, merchants);
  const encoder = await openOrderEncoder(connectRegistry(rig.stack.registryUrl));
  const shares = { refunds: 0.1, duplicates: 0.05, late: 0.05, broken: 0.02 };
  const stream = orderStream({ seed, customers: customersPerMerchant, merchants, ...shares });
  const load: Load = startLoad({ stream, encoder, api, producer, ledger, rate });
  return { load, ledger, api, close: () => producer.close() };
}

/**
 * Every fault begins at its time, also while others are not healed yet, of which there may be some: where servers start slowly the
 * schedule takes longer than planned, rather than hurt what is down. Faults on one process take turns.
 */
async function runSchedule(rig: Rig, planned: readonly Planned[], notes: Notes, say: (line: string) => void): Promise<void> {
  const from = performance.now();
  const seconds = () => ((performance.now() - from) / 1_000).toFixed(1).padStart(6);
  const unhealed = new Set<Promise<void>>();
  const hurt = async ({ fault }: Planned) => {
    say(`${seconds()} s  ${describeFault(fault)}`);
    try {
      const outcome = await inject(rig, fault);
      notes.faults.set(fault.kind, (notes.faults.get(fault.kind) ?? 0) + 1);
      say(`${seconds()} s    ${describeFault(fault)}: ${outcome}`);
    } catch (error) {
      notes.violations.push(`${describeFault(fault)} was not healed: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  for (const one of planned) {
    await sleep(Math.max(0, one.atMs - (performance.now() - from)));
    while (unhealed.size >= mostUnhealed) await Promise.race(unhealed);
    const healed = hurt(one).finally(() => unhealed.delete(healed));
    unhealed.add(healed);
  }
  await Promise.all(unhealed);
}

async function heal(rig: Rig): Promise<void> {
  for (const link of ["postgres", "kafka", "push"] as const) {
    for (const proxy of rig.proxies(link)) {
      proxy.delay(0);
      proxy.swallow("none");
    }
  }
  for (const { name } of seconds) await rig.target(name).exclusively(() => rig.target(name).stop());
  await Promise.all(
    ["postgres", "kafka", "registry", ...standing.map(({ name }) => name)].map((name) => {
      const target = rig.target(name);
      return target.exclusively(() => target.up());
    }),
  );
}

interface Expected {
  readonly ledger: Ledger;
  readonly redemptions: Redemptions;
  readonly customers: readonly OnlineCustomer[];
}

async function check(
  rig: Rig,
  { ledger, redemptions, customers }: Expected,
  checked: Map<string, number>,
  say: (line: string) => void,
): Promise<string[]> {
  const { sql, stack } = rig;
  const violations = [...(await checkOrders(sql, ledger)), ...(await checkRedemptions(sql, redemptions))];
  const published = await readPublished(stack.kafkaBrokers);
  const inbox = await readInbox(sql);
  violations.push(...(await checkPublished(sql, published)), ...checkInbox(published, inbox));
  const deadLetters = await checkDeadLetters(sql, ledger);
  violations.push(...deadLetters.violations);
  await waitUntil(() => {
    for (const customer of customers) customer.retryNow();
    return customers.every((customer) => customer.seen.length >= owed(customer, inbox).length);
  }, seenLimitMs);
  for (const customer of customers) violations.push(...checkCustomer(customer, inbox));
  say("verifying");
  violations.push(...(await verify(rig)));
  const notes = [...inbox.values()].flat().length;
  checked.set("orders", ledger.orders.size);
  checked.set(
    "refunds and cancellations",
    sum([...ledger.orders.values()], ({ refunds, isCancelled }) => refunds.size + (isCancelled ? 1 : 0)),
  );
  checked.set("redemptions", redemptions.acknowledged.size);
  checked.set("acknowledgements of the API", ledger.acknowledged.api);
  checked.set("acknowledgements of the producer", ledger.acknowledged.producer);
  checked.set("notifications", notes);
  checked.set(`repeats in ${topics.notifications}`, published.length - notes);
  checked.set(
    "notes seen online",
    sum(customers, ({ seen }) => seen.length),
  );
  checked.set(
    "connections of customers",
    sum(customers, ({ connections }) => connections),
  );
  checked.set("dead letters", deadLetters.checked);
  return violations;
}

const VERIFY_ATTEMPTS = 5;
const VERIFY_PAUSE_MS = 1_000;

/** The registry may still hold connections to the PostgreSQL that was killed: it answers with an error for each before it makes a new one. */
async function verify(rig: Rig): Promise<string[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await verifyOnce(rig);
    } catch (error) {
      if (!(error instanceof RegistryError && error.retryable) || attempt === VERIFY_ATTEMPTS) throw error;
    }
    await sleep(VERIFY_PAUSE_MS);
  }
}

async function verifyOnce({ stack }: Rig): Promise<string[]> {
  const found: string[] = [];
  const report = new PrintedReport(["tier", "cashback"], 20, (difference) => found.push(`verify: ${lineOf(difference)}`));
  const registry = connectRegistry(stack.registryUrl);
  await runVerify({ databaseUrl: stack.postgresUrl, registry, merchantId: null, report, onProgress: () => {} });
  return found;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
