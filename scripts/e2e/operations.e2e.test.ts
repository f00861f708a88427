import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSql, type Sql } from "@perkstream/postgres";
import type { Stack } from "@perkstream/stack";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBed, type Bed } from "../bed/bed.ts";
import { createMerchants } from "../bed/merchants.ts";
import { differencesOf } from "./differences.ts";
import { openBalancer, type Balancer } from "./operations/balancer.ts";
import { openDevice, type Device } from "./operations/devices.ts";
import { makeMachines, type Machine } from "./operations/machines.ts";
import { archiveLog, restore, takeBaseBackup } from "./operations/restore.ts";
import { inboxIds, isSettled, openLogEnds, orderCounts, ordersHandled, type LogEnds } from "./operations/state.ts";
import { customerToken, startTraffic, type Shop } from "./operations/traffic.ts";
import { waitFor } from "./wait.ts";

/* docs/operations.md at work: two machines, a shop that goes on ordering, and customers who are online all the time. */

const CUSTOMERS = Array.from({ length: 16 }, (_, i) => `customer-${i}`);
const EVERYTHING = ["tier-processor", "cashback-processor", "stamps-processor", "notifier", "merchant-api"];
const TWICE = EVERYTHING.filter((name) => name !== "stamps-processor");
const STEP_LIMIT_MS = 120_000;

let folder: string;
let bed: Bed;
let machines: readonly [Machine, Machine];
let api: Balancer;
let push: Balancer;
let ends: LogEnds;
let shop: Shop;
const devices: Device[] = [];
const crashes: string[] = [];
let restored: Stack | undefined;
const accepted: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "perkstream-operations-"));
  bed = await openBed(() => {});
  const env = () => ({ NOTIFIER_URL: `ws://127.0.0.1:${push.port}`, PERKS_DRAIN_SECONDS: "0.5" });
  const [first, second] = await makeMachines(bed, [EVERYTHING, TWICE], env, (message) => crashes.push(message));
  machines = [first!, second!];
  api = await openBalancer(machines.map((machine) => machine.portOf("merchant-api")));
  push = await openBalancer(machines.map((machine) => machine.portOf("notifier")));
  ends = await openLogEnds(bed.stack.kafkaBrokers);
  await Promise.all(machines.map((machine) => machine.start(bed.stack)));
  const origin = `http://127.0.0.1:${api.port}`;
  const [merchant] = await createMerchants(origin, 1);
  shop = { origin, apiKey: merchant!.apiKey, customers: CUSTOMERS };
  for (const customerId of CUSTOMERS) {
    const { url } = await customerToken(shop, customerId);
    devices.push(openDevice(customerId, url, async () => (await customerToken(shop, customerId)).token));
  }
  await eventually("all customers are online", () => devices.every(({ isOnline }) => isOnline));
}, 600_000);

afterAll(async () => {
  for (const device of devices) device.close();
  for (const machine of machines ?? []) await machine.stop();
  for (const balancer of [api, push]) await balancer?.close();
  await ends?.close();
  await restored?.stop();
  await bed?.close();
  await rm(folder, { recursive: true, force: true });
}, 600_000);

const eventually = (what: string, isSo: () => boolean | Promise<boolean>) => waitFor(what, async () => isSo(), STEP_LIMIT_MS);

/** Waits until all that was accepted is counted, stored and told, then looks for what is missing or there twice. */
async function expectNothingLostOrTwice(sql: Sql): Promise<void> {
  await eventually("everything in the log is handled, published and stored", () => isSettled(sql, ends));
  const orders = [...accepted].sort();
  expect(await orderCounts(sql)).toEqual({ tier: orders, cashback: orders });
  const inbox = await inboxIds(sql);
  const told = () => new Map(devices.map(({ customerId, notes }) => [customerId, notes.map(({ id }) => id)]));
  await eventually("every customer was told as much", () =>
    [...told()].every(([customer, ids]) => ids.length >= (inbox.get(customer)?.length ?? 0)),
  );
  expect(told()).toEqual(inbox);
  expect(devices.flatMap(({ complaints }) => complaints)).toEqual([]);
  expect(crashes).toEqual([]);
}

/** Orders for as long as `during` takes. */
async function underTraffic(redeems: boolean, during: () => Promise<void>): Promise<void> {
  const traffic = startTraffic(shop, redeems);
  try {
    await during();
  } finally {
    await traffic.stop();
    accepted.push(...traffic.accepted);
  }
  expect(traffic.failures).toEqual([]);
}

async function eventsOf(machine: Machine, service: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${machine.portOf(service)}/metrics`)).text();
  return Number(/^perkstream_events_total\{.*\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

describe("a rolling restart, machine by machine, while customers order and are online", () => {
  it("loses no push, fails no request and ends no connection for good", async () => {
    await underTraffic(true, async () => {
      await takeBaseBackup(bed.stack.postgresUrl, bed.settings.dataDir, join(folder, "backup"));
      for (const machine of machines) {
        await machine.stop();
        await machine.start(bed.stack);
      }
      const shares = () =>
        Promise.all(machines.flatMap((machine) => ["tier-processor", "cashback-processor"].map((service) => eventsOf(machine, service))));
      await eventually("both machines have partitions again", async () => (await shares()).every((count) => count > 0));
    });
    await expectNothingLostOrTwice(bed.sql);
    expect(await differencesOf(bed.stack)).toEqual([]);
  }, 600_000);
});

describe("a database that is restored from a base backup and its log, to a time before the end, while Kafka went on", () => {
  it("comes to the same state, and tells customers nothing twice", async () => {
    let until = new Date(0);
    const counted = accepted.length;
    await underTraffic(false, async () => {
      const handled = await ordersHandled(bed.sql);
      await eventually("some orders are handled", async () => (await ordersHandled(bed.sql)) > handled + 20);
      [{ until }] = await bed.sql<[{ until: Date }]>`SELECT clock_timestamp() AS until`;
      const kept = await ordersHandled(bed.sql);
      await eventually("orders are handled that will be lost", async () => (await ordersHandled(bed.sql)) > kept + 40);
    });
    await expectNothingLostOrTwice(bed.sql);
    const before = { orders: await orderCounts(bed.sql), inbox: await inboxIds(bed.sql), handled: await ordersHandled(bed.sql) };

    for (const machine of machines) await machine.stop();
    const places = { backup: join(folder, "backup"), archive: join(folder, "archive"), stackDir: bed.settings.dataDir };
    await archiveLog(bed.stack.postgresUrl, bed.settings.dataDir, places.archive);
    restored = await restore(bed.stack, { ...places, until, restoredDir: join(folder, "restored") });
    const sql = openSql(restored.postgresUrl, { max: 2, applicationName: "operations-test" });
    try {
      // Neither the base backup as it was nor all that there was.
      const handled = await ordersHandled(sql);
      expect(handled).toBeGreaterThan(2 * counted);
      expect(handled).toBeLessThan(before.handled);

      await machines[0].start(restored);
      await eventually("everything was read again", async () => (await ordersHandled(sql)) === before.handled && isSettled(sql, ends));
      expect(await orderCounts(sql)).toEqual(before.orders);
      expect(await inboxIds(sql)).toEqual(before.inbox);
      await eventually("all customers are online", () => devices.every(({ isOnline }) => isOnline));
      await underTraffic(true, () => eventually("orders are handled", async () => (await ordersHandled(sql)) > before.handled + 40));
      await expectNothingLostOrTwice(sql);
      expect(await differencesOf(restored)).toEqual([]);
    } finally {
      await sql.end();
    }
  }, 600_000);
});
