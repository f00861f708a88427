import type { Customer } from "@perkstream/inbox";
import { openSql, type Sql } from "@perkstream/postgres";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import type { Notifier } from "./notifier.ts";
import { Device } from "./testing/device.ts";
import { customerToken, merchantToken, newCustomer, openRig, type Rig } from "./testing/rig.ts";

let rig: Rig;
let one: Notifier;
let two: Notifier;
let customer: Customer;

beforeAll(async () => {
  rig = await openRig(inject("stack"));
  await rig.startInbox();
  [one, two] = await Promise.all([rig.start(), rig.start()]);
});

afterAll(() => rig.close());

beforeEach(() => {
  customer = newCustomer();
});

async function connect(notifier: Notifier, device = "d"): Promise<Device> {
  const connection = Device.connect(notifier.port, await customerToken(customer));
  await connection.hello(undefined, device);
  return connection;
}

async function call(notifier: Notifier, method: string, path: string): Promise<Record<string, unknown>> {
  const authorization = `Bearer ${await merchantToken(customer.merchant, "operator")}`;
  const response = await fetch(`http://127.0.0.1:${notifier.port}/v1/${path}/${customer.customerId}`, {
    method,
    headers: { authorization },
  });
  return (await response.json()) as Record<string, unknown>;
}

const devicesOf = async (notifier: Notifier) =>
  ((await call(notifier, "GET", "presence"))["connections"] as { device: string }[]).map(({ device }) => device);

test("presence names the connections of all instances", async () => {
  const here = await connect(one, "here");
  const there = await connect(two, "there");
  await expect.poll(() => devicesOf(one)).toEqual(["here", "there"]);
  await expect.poll(() => devicesOf(two)).toEqual(["here", "there"]);
  there.close();
  await expect.poll(() => devicesOf(one)).toEqual(["here"]);
  here.close();
});

test("disconnect reaches all instances and counts their connections", async () => {
  const devices = [await connect(one), await connect(two), await connect(two)];
  expect(await call(one, "POST", "disconnect")).toEqual({ closed: 3 });
  for (const device of devices) expect(await device.closed).toEqual({ code: 4002, reason: "disconnected" });
});

test("a disconnect that is carried out late closes what was open when it was given, not what came since", async () => {
  const before = await connect(one, "before");
  const [given] = await rig.sql<{ at: Date }[]>`SELECT clock_timestamp() AS at`;
  // An age is known to within how long its query takes: longer than that.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const [since, other] = [await connect(one, "since"), await connect(two, "other")];
  const id = randomUUID();
  await rig.sql`INSERT INTO notifier.command (id, merchant, customer_id, created_at)
    VALUES (${id}::uuid, ${customer.merchant}::uuid, ${customer.customerId}, ${given!.at})`;
  const answers = () => rig.sql`SELECT closed FROM notifier.command_result WHERE command = ${id}::uuid ORDER BY closed`;
  await expect.poll(answers).toEqual([{ closed: 0 }, { closed: 1 }]);
  expect(await before.closed).toEqual({ code: 4002, reason: "disconnected" });
  expect([since.socket.readyState, other.socket.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN]);
  since.close();
  other.close();
});

test("the device limit counts all instances: the oldest goes, wherever it is", async () => {
  const devices: Device[] = [];
  for (let i = 0; i < 11; i++) {
    devices.push(await connect(i % 2 === 0 ? one : two, `d${i}`));
    await expect.poll(async () => (await devicesOf(one)).length).toBe(Math.min(10, i + 1));
  }
  expect(await devices[0]!.closed).toEqual({ code: 4009, reason: "too_many_devices" });
  devices.push(await connect(one, "d11"));
  expect(await devices[1]!.closed).toEqual({ code: 4009, reason: "too_many_devices" });
  expect(await devicesOf(two)).toEqual(devices.slice(2).map((_, i) => `d${i + 2}`));
  for (const device of devices) device.close();
});

test("an acknowledgement at one instance is told at the other", async () => {
  const here = await connect(one);
  const there = await connect(two);
  await rig.notify(customer, 2);
  await Promise.all([here.until(() => here.notes.length === 2), there.until(() => there.notes.length === 2)]);
  here.send({ t: "ack", cursor: here.cursors[1] });
  await there.until(() => there.of("read").length === 1);
  expect(there.of("read")).toEqual([{ t: "read", cursor: here.cursors[1] }]);
  expect(here.of("read")).toEqual([]);
  here.close();
  there.close();
});

test("an instance that is gone is forgotten when its lease ends; one that was forgotten says all again", async () => {
  const here = await connect(one, "here");
  const dead = randomUUID();
  await rig.sql`INSERT INTO notifier.instance (id, lease_until) VALUES (${dead}::uuid, now() + interval '1 hour')`;
  await rig.sql`INSERT INTO notifier.connection (session, instance, merchant, customer_id, device, since)
    VALUES (${randomUUID()}::uuid, ${dead}::uuid, ${customer.merchant}::uuid, ${customer.customerId}, 'ghost', now() - interval '1 hour')`;
  expect(await devicesOf(two)).toContain("ghost");
  await rig.sql`UPDATE notifier.instance SET lease_until = now() WHERE id = ${dead}::uuid`;
  await expect.poll(() => devicesOf(two)).toEqual(["here"]);
  const rows = () => rig.sql<{ n: bigint }[]>`SELECT n FROM notifier.connection WHERE customer_id = ${customer.customerId}`;
  const [first] = await rows();
  await rig.sql`DELETE FROM notifier.instance`;
  await expect.poll(async () => ((await rows())[0]?.n ?? 0n) > first!.n).toBe(true);
  expect(await devicesOf(two)).toEqual(["here"]);
  here.close();
});

test("without Postgres open sockets go on, and what they acknowledge is stored when it is back", async () => {
  const own: Sql = openSql(rig.databaseUrl, { max: 4, applicationName: "cut off" });
  const alone = await rig.start({ sql: own });
  const [phone, tablet] = [await connect(alone), await connect(one)];
  await rig.sql`UPDATE pg_database SET datallowconn = false WHERE datname = current_database()`;
  try {
    await rig.sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut off' AND datname = current_database()`;
    const ids = await rig.notify(customer, 3);
    await phone.until(() => phone.notes.length === 3);
    expect(phone.ids).toEqual(ids);
    phone.send({ t: "ack", cursor: phone.cursors[2] });
  } finally {
    await rig.sql`UPDATE pg_database SET datallowconn = true WHERE datname = current_database()`;
  }
  await tablet.until(() => tablet.of("read").length === 1, 60_000);
  expect(tablet.of("read")[0]!["cursor"]).toBe(phone.cursors[2]);
  await alone.stop();
  await own.end({ timeout: 5 });
  tablet.close();
});
