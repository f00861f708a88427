import { randomInt, randomUUID } from "node:crypto";
import { openSql, type Sql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { createDriver, ensureProgress, type DrivenRecord } from "@perkstream/program";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import {
  acknowledge,
  createInboxProgram,
  inboxPositions,
  inboxProgress,
  inboxState,
  listNotifications,
  migrations,
  notificationsBetween,
  storeAcks,
  unreadNotifications,
  type Customer,
  type RecordReader,
} from "./index.ts";

const dayMs = 86_400_000;
const partitions = 2;

/** Values are JSON here: what the inbox needs of a record is its id. */
const reader: RecordReader = {
  prepare: async () => {},
  decode: (value) => {
    if (value === null) return { ok: false, message: "empty" };
    const data: unknown = JSON.parse(value.toString("utf8"));
    return typeof data === "object" && data !== null ? { ok: true, event: { data: { ...data } } } : { ok: false, message: "no object" };
  },
};

let database: TestDatabase;
let sql: Sql;
let now = Date.parse("2026-03-01T00:00:00Z");
const program = () => createInboxProgram({ reader, now: () => now });

beforeAll(async () => {
  database = await testDatabase(inject("stack").postgresUrl, [migrations]);
  sql = openSql(database.url, { max: 3, applicationName: "test", role: "perkstream_notifier" });
  await ensureProgress(sql, { program: "inbox", topic: "notifications.v1" }, partitions);
});

afterAll(async () => {
  await sql.end({ timeout: 5 });
  await database.drop();
});

let customer: Customer;
beforeEach(() => {
  customer = { merchant: randomUUID(), customerId: "c:1" };
});

interface Source {
  readonly epoch: number;
  readonly seq: number;
}

function record(of: Customer, id: string = randomUUID(), source?: Source): DrivenRecord {
  return {
    partition: 1,
    timestamp: now,
    key: Buffer.from(`${of.merchant}:${of.customerId}`),
    value: Buffer.from(JSON.stringify({ id })),
    headers: source === undefined ? {} : { source: Buffer.from(`tier/1/${source.epoch}/${source.seq}/${id}`) },
  };
}

const offsetsOf = (list: readonly { offset: number }[]) => list.map((one) => one.offset);

test("stores each notification once, in the order of the topic, and lists newest first", async () => {
  const driver = await createDriver(program(), sql, partitions);
  const first = driver.nextOffset(1);
  const ids = [randomUUID(), randomUUID(), randomUUID()];
  await driver.feed(
    ids.map((id) => record(customer, id)),
    2,
  );
  await driver.feed([record(customer, ids[1])]); // a repeat in a later chunk
  await driver.feed([record(customer, ids[2]), record(customer, ids[2])]); // and twice in one chunk
  const all = await listNotifications(sql, customer, { limit: 50 });
  expect(all.map((one) => one.id)).toEqual(ids.toReversed());
  expect(offsetsOf(all)).toEqual([first + 2, first + 1, first]);
  const page = await listNotifications(sql, customer, { limit: 1, before: all[0]! });
  expect(page.map((one) => one.id)).toEqual([ids[1]]);
  expect((await inboxProgress(sql)).get(1)).toBe(first + 6);
});

test("another customer's and another merchant's notifications are apart", async () => {
  const driver = await createDriver(program(), sql, partitions);
  const twin = { merchant: randomUUID(), customerId: customer.customerId };
  const id = randomUUID();
  await driver.feed([record(customer, id), record(twin, id)]);
  expect(await listNotifications(sql, customer, { limit: 50 })).toHaveLength(1);
  expect(await listNotifications(sql, twin, { limit: 50 })).toHaveLength(1);
  expect(await listNotifications(sql, { ...customer, customerId: "nobody" }, { limit: 50 })).toEqual([]);
});

test("repeats of a source are known by epoch and sequence, also by a new owner", async () => {
  const epoch = randomInt(2 ** 40);
  const driver = await createDriver(program(), sql, partitions);
  await driver.feed([1, 2, 3].map((seq) => record(customer, randomUUID(), { epoch, seq })));
  const heir = await createDriver(program(), sql, partitions);
  await heir.feed([2, 3, 4].map((seq) => record(customer, randomUUID(), { epoch, seq })));
  expect(heir.outcomes.map((outcome) => outcome.result)).toEqual(["duplicate", "duplicate", "applied"]);
  expect(await listNotifications(sql, customer, { limit: 50 })).toHaveLength(4);
});

test("after a restored source database a notification said again under a new epoch is stored once", async () => {
  const driver = await createDriver(program(), sql, partitions);
  const id = randomUUID();
  await driver.feed([record(customer, id, { epoch: randomInt(2 ** 40), seq: 9 })]);
  await driver.feed([record(customer, id, { epoch: randomInt(2 ** 40), seq: 4 })]);
  expect(await listNotifications(sql, customer, { limit: 50 })).toHaveLength(1);
});

test("position and sequences are read together", async () => {
  const epoch = randomInt(2 ** 40);
  const driver = await createDriver(program(), sql, partitions);
  await driver.feed([record(customer, randomUUID(), { epoch, seq: 41 })]);
  const position = (await inboxPositions(sql)).get(1)!;
  expect(position.nextOffset).toBe(driver.nextOffset(1));
  const source = position.sources.find((one) => one.program === "tier" && one.sourcePart === 1)!;
  expect(source.sequences.at(-1)).toEqual([epoch, 41]);
  expect((await inboxPositions(sql)).get(0)).toEqual({ nextOffset: 0, sources: [] });
});

test("what cannot be delivered is a dead letter and stops nothing", async () => {
  const driver = await createDriver(program(), sql, partitions);
  const good = record(customer);
  await driver.feed([
    { ...good, key: null },
    { ...good, key: Buffer.from("nobody") },
    { ...good, value: null },
    { ...good, value: Buffer.from(JSON.stringify({ id: "not a uuid" })) },
    good,
  ]);
  expect(driver.deadLetters.map((letter) => letter.reason)).toEqual(["invalid_key", "invalid_key", "invalid_event", "invalid_event"]);
  expect(await listNotifications(sql, customer, { limit: 50 })).toHaveLength(1);
});

test("rows between two offsets, and the newest unread ones", async () => {
  const driver = await createDriver(program(), sql, partitions);
  const first = driver.nextOffset(1);
  await driver.feed(Array.from({ length: 6 }, () => record(customer)));
  const range = { partition: 1, after: first, before: first + 5, limit: 3 };
  expect(offsetsOf(await notificationsBetween(sql, customer, range))).toEqual([first + 1, first + 2, first + 3]);
  const unread = { partition: 1, before: first + 5, limit: 2 };
  expect(offsetsOf(await unreadNotifications(sql, customer, unread))).toEqual([first + 3, first + 4]);
  await acknowledge(sql, customer, { partition: 1, offset: first + 3 });
  expect(offsetsOf(await unreadNotifications(sql, customer, unread))).toEqual([first + 4]);
});

test("an acknowledgement never goes back, is cut to what is stored, and marks as read", async () => {
  const driver = await createDriver(program(), sql, partitions);
  const first = driver.nextOffset(1);
  expect(await acknowledge(sql, customer, { partition: 1, offset: 5 })).toBe("acknowledged");
  await driver.feed([record(customer), record(customer)]);
  expect(await acknowledge(sql, customer, { partition: 0, offset: 5 })).toBe("unknown_cursor");
  await acknowledge(sql, customer, { partition: 1, offset: first });
  expect((await listNotifications(sql, customer, { limit: 50 })).map((one) => one.read)).toEqual([false, true]);
  await acknowledge(sql, customer, { partition: 1, offset: first - 1 });
  expect((await inboxState(sql, customer, 1)).acked).toBe(first);
  await acknowledge(sql, customer, { partition: 1, offset: 1_000_000 });
  expect((await inboxState(sql, customer, 1)).acked).toBe(first + 1);
});

test("acknowledgements are stored in sets, before the first row too, and only those that moved are told", async () => {
  const heard: string[] = [];
  const listening = await sql.listen("perkstream_ack", (payload) => void heard.push(payload));
  const other = { merchant: randomUUID(), customerId: "ünïcode" };
  const first = await storeAcks(sql, [
    { ...customer, partition: 1, offset: 3, origin: "s1" },
    { ...other, partition: 0, offset: 8, origin: "" },
  ]);
  expect(first).toHaveLength(2);
  const second = await storeAcks(sql, [
    { ...customer, partition: 1, offset: 2, origin: "s1" },
    { ...other, partition: 0, offset: 9, origin: "" },
  ]);
  expect(second).toEqual([{ ...other, partition: 0, offset: 9, origin: "" }]);
  await expect.poll(() => heard.length).toBe(3);
  await listening.unlisten();
});

test("retention takes what is older than 90 days in bounded steps and notes how far it went", async () => {
  const driver = await createDriver(program(), sql, partitions);
  const first = driver.nextOffset(1);
  await driver.feed([record(customer), record(customer), record(customer)]);
  now += 10 * dayMs;
  await driver.feed([record(customer)]);
  now += 80 * dayMs + 1;
  await driver.sweep(now + 500 * dayMs, randomUUID()); // a merchant's sweep is none of the inbox's business
  expect(await listNotifications(sql, customer, { limit: 50 })).toHaveLength(4);
  const inbox = program();
  const step = (limit: number) =>
    sql.begin((tx) => inbox.sweep!({ tx, progress: new Map() }, { partition: 1, until: now, backlog: false, scope: null, limit }));
  while ((await step(2)).more);
  expect(offsetsOf(await listNotifications(sql, customer, { limit: 50 }))).toEqual([first + 3]);
  expect((await inboxState(sql, customer, 1)).trimmed).toBe(first + 2);
});
