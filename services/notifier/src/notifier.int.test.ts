import { acknowledge, inboxProgress, listNotifications, type Customer } from "@perkstream/inbox";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import type { Notifier } from "./notifier.ts";
import { Device, offsetOf } from "./testing/device.ts";
import { customerToken, newCustomer, openRig, type Rig } from "./testing/rig.ts";

let rig: Rig;
let notifier: Notifier;
let customer: Customer;
const devices: Device[] = [];

beforeAll(async () => {
  rig = await openRig(inject("stack"));
  await rig.startInbox();
  notifier = await rig.start();
});

afterAll(async () => {
  for (const device of devices) device.close();
  await rig.close();
});

beforeEach(() => {
  customer = newCustomer();
});

async function connect(to: Customer = customer, port = notifier.port): Promise<Device> {
  const device = Device.connect(port, await customerToken(to));
  devices.push(device);
  return device;
}

async function stored(of: Customer, count: number): Promise<void> {
  await expect
    .poll(async () => (await listNotifications(rig.sql, of, { limit: 1_000 })).length, { timeout: 10_000, interval: 20 })
    .toBe(count);
}

describe("notes", () => {
  test("reach every device of an online customer, with all fields, and nobody else", async () => {
    const stranger = { merchant: customer.merchant, customerId: "somebody-else" };
    const namesake = { merchant: randomUUID(), customerId: customer.customerId };
    const [phone, tablet, other, twin] = await Promise.all([connect(), connect(), connect(stranger), connect(namesake)]);
    const welcome = await phone.hello();
    await Promise.all([tablet.hello(), other.hello(), twin.hello()]);
    expect(welcome).toMatchObject({ t: "welcome", resumed: false, cursor: `${rig.partitionOf(customer)}:-1` });
    expect(Date.parse(String(welcome["expiresAt"]))).toBeGreaterThan(Date.now() + 800_000);
    const [id] = await rig.notify(customer);
    await Promise.all([phone.until(() => phone.notes.length === 1), tablet.until(() => tablet.notes.length === 1)]);
    expect(phone.notes[0]).toEqual({
      t: "note",
      cursor: expect.stringMatching(/^\d+:\d+$/),
      id,
      type: "TierChanged",
      at: "2026-01-02T03:04:05.678Z",
      data: {
        id,
        merchantId: customer.merchant,
        customerId: customer.customerId,
        occurredAt: "2026-01-02T03:04:05.678Z",
        orderId: "o1",
        fromTier: null,
        toTier: "Silver",
        direction: "PROMOTED",
        reason: "order",
        nextTier: "Gold",
        toNextTierMinor: 12_300,
      },
    });
    expect(tablet.notes).toEqual(phone.notes);
    await rig.notify(stranger);
    await other.until(() => other.notes.length === 1);
    expect(phone.notes).toHaveLength(1);
    expect(twin.notes).toHaveLength(0);
  });

  test("that were missed come on connect: the unread ones, oldest first", async () => {
    const ids = await rig.notify(customer, 5);
    const device = await connect();
    await device.hello();
    await device.until(() => device.notes.length === 5);
    expect(device.ids).toEqual(ids);
    const cursor = device.cursors[1]!;
    await acknowledge(rig.sql, customer, { partition: rig.partitionOf(customer), offset: offsetOf(cursor) }, rig.topic);
    const second = await connect();
    expect(await second.hello()).toMatchObject({ resumed: false, cursor });
    await second.until(() => second.notes.length === 3);
    expect(second.ids).toEqual(ids.slice(2));
  });

  test("without a cursor are at most the newest 100", async () => {
    const ids = await rig.notify(customer, 130);
    await stored(customer, 130);
    const device = await connect();
    const welcome = await device.hello();
    await device.until(() => device.notes.length === 100);
    expect(device.ids).toEqual(ids.slice(30));
    expect(offsetOf(String(welcome["cursor"]))).toBe(offsetOf(device.cursors[0]!) - 1);
  });

  test("resume after a cursor, over several pages", async () => {
    const ids = await rig.notify(customer, 650);
    const device = await connect();
    await device.hello(`${rig.partitionOf(customer)}:-1`);
    await device.until(() => device.notes.length === 650);
    expect(device.ids).toEqual(ids);
    const cursor = device.cursors[399]!;
    const again = await connect();
    expect(await again.hello(cursor)).toMatchObject({ resumed: true, cursor });
    await again.until(() => again.notes.length === 250);
    expect(again.ids).toEqual(ids.slice(400));
  });

  test("said twice by an outbox or under one id come once, as in the inbox", async () => {
    const device = await connect();
    await device.hello();
    const epoch = Date.now();
    const source = (i: number) => `tier/0/${epoch}/${i + 1}`;
    const ids = await rig.notify(customer, 3, { source });
    await rig.notify(customer, 3, { source, ids });
    await rig.notify(customer, 1, { ids: [ids[2]!] });
    const [last] = await rig.notify(customer);
    await device.until(() => device.ids.includes(last));
    expect(device.ids).toEqual([...ids, last]);
    await stored(customer, 4);
  });

  test("in a partition that is not the customer's have no cursor and are left to the inbox", async () => {
    const device = await connect();
    await device.hello();
    const own = rig.partitionOf(customer);
    const [id] = await rig.notify(customer);
    await device.until(() => device.notes.length === 1);
    expect(device.ids).toEqual([id]);
    expect(device.cursors[0]).toMatch(new RegExp(`^${own}:`));
  });
});

describe("hand-over", () => {
  test("has no gap and no repeat while notes flow and devices come and go", async () => {
    const ending = new AbortController();
    const sent: string[] = [];
    const flow = (async () => {
      while (!ending.signal.aborted) {
        sent.push(...(await rig.notify(customer, 5)));
        await rig.notify(newCustomer(), 3);
      }
    })();
    const seen = await Promise.all(Array.from({ length: 6 }, (_, i) => wander(i)));
    ending.abort();
    await flow;
    for (const trail of seen) expect(trail).toEqual(sent.slice(0, trail.length));
    expect(Math.min(...seen.map((trail) => trail.length))).toBeGreaterThan(50);
  });

  /** Connects again and again with its cursor; what it has seen in all. */
  async function wander(seed: number): Promise<unknown[]> {
    const trail: unknown[] = [];
    let cursor = `${rig.partitionOf(customer)}:-1`;
    for (let round = 0; round < 12; round++) {
      const device = await connect();
      await device.hello(cursor);
      const wanted = 1 + ((seed + round) % 7) * 4;
      await device.until(() => device.notes.length >= wanted);
      device.close();
      await device.closed;
      const offsets = device.cursors.map(offsetOf);
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
      trail.push(...device.ids);
      cursor = device.cursors.at(-1)!;
    }
    return trail;
  }

  test("takes a cursor of an instance that is ahead, and refuses one beyond the end", async () => {
    await rig.notify(customer, 2);
    const device = await connect();
    await device.hello();
    await device.until(() => device.notes.length === 2);
    const last = device.cursors[1]!;
    const again = await connect();
    expect(await again.hello(last)).toMatchObject({ resumed: true, cursor: last });
    const beyond = await connect();
    await beyond.opened();
    beyond.send({ t: "hello", device: "d", cursor: `${rig.partitionOf(customer)}:${offsetOf(last) + 1_000}` });
    expect(await beyond.closed).toEqual({ code: 4000, reason: "bad_frame" });
  });

  test("is told by resumed:false that a cursor is too old", async () => {
    const partition = rig.partitionOf(customer);
    await rig.notify(customer, 3);
    await stored(customer, 3);
    const [, , oldest] = await listNotifications(rig.sql, customer, { limit: 10 });
    await rig.sql`INSERT INTO inbox.trim (part, off) VALUES (${partition}, ${oldest!.offset}) ON CONFLICT (part) DO UPDATE SET off = EXCLUDED.off`;
    const device = await connect();
    expect(await device.hello(`${partition}:${oldest!.offset - 1}`)).toMatchObject({ resumed: false });
    const second = await connect();
    expect(await second.hello(`${partition}:${oldest!.offset}`)).toMatchObject({ resumed: true });
    await rig.sql`DELETE FROM inbox.trim`;
  });

  test("goes on from any instance, with the same cursors", async () => {
    const twin = await rig.start();
    const ids = await rig.notify(customer, 4);
    const here = await connect();
    await here.hello();
    await here.until(() => here.notes.length === 4);
    const there = await connect(customer, twin.port);
    expect(await there.hello(here.cursors[1])).toMatchObject({ resumed: true });
    await there.until(() => there.notes.length === 2);
    expect(there.ids).toEqual(ids.slice(2));
    const more = await rig.notify(customer, 2);
    await Promise.all([here.until(() => here.notes.length === 6), there.until(() => there.notes.length === 4)]);
    expect(there.ids.slice(2)).toEqual(more);
    expect(there.cursors.slice(2)).toEqual(here.cursors.slice(4));
    await twin.stop();
    expect(await there.closed).toEqual({ code: 1012, reason: "restart" });
    expect(there.frames.at(-1)).toMatchObject({ t: "bye", reason: "drain", retryMs: [expect.any(Number), expect.any(Number)] });
  });
});

describe("acknowledgements", () => {
  test("are told to the other devices, also when the merchant API takes them, and never go back", async () => {
    const [phone, tablet] = await Promise.all([connect(), connect()]);
    await Promise.all([phone.hello(), tablet.hello()]);
    await rig.notify(customer, 3);
    await Promise.all([phone.until(() => phone.notes.length === 3), tablet.until(() => tablet.notes.length === 3)]);
    const [first, second, third] = phone.cursors;
    phone.send({ t: "ack", cursor: second });
    await tablet.until(() => tablet.of("read").length === 1);
    expect(tablet.of("read")).toEqual([{ t: "read", cursor: second }]);
    phone.send({ t: "ack", cursor: first });
    await stored(customer, 3);
    await acknowledge(rig.sql, customer, { partition: rig.partitionOf(customer), offset: offsetOf(third!) }, rig.topic);
    await Promise.all([phone.until(() => phone.of("read").length === 1), tablet.until(() => tablet.of("read").length === 2)]);
    expect(tablet.of("read").map((frame) => frame["cursor"])).toEqual([second, third]);
    expect((await listNotifications(rig.sql, customer, { limit: 10 })).every((one) => one.read)).toBe(true);
  });

  test("beyond what was sent are cut to it", async () => {
    const [phone, tablet] = await Promise.all([connect(), connect()]);
    await Promise.all([phone.hello(), tablet.hello()]);
    await rig.notify(customer, 2);
    await Promise.all([phone.until(() => phone.notes.length === 2), tablet.until(() => tablet.notes.length === 2)]);
    phone.send({ t: "ack", cursor: `${rig.partitionOf(customer)}:999999999` });
    await tablet.until(() => tablet.of("read").length === 1);
    expect(tablet.of("read")[0]!["cursor"]).toBe(phone.cursors[1]);
  });
});

test("the inbox and the live path come to the same place", async () => {
  await rig.notify(customer, 10);
  await stored(customer, 10);
  const progress = await inboxProgress(rig.sql, rig.topic);
  const offsets = (await listNotifications(rig.sql, customer, { limit: 1 })).map((one) => one.offset);
  expect(progress.get(rig.partitionOf(customer))!).toBeGreaterThan(offsets[0]!);
});
