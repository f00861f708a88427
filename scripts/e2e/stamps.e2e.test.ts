import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectRegistry, openJsonDecoder, topics } from "@perkstream/contracts";
import { createInboxProgram } from "@perkstream/inbox";
import { openSql } from "@perkstream/postgres";
import { testDatabase } from "@perkstream/postgres/testing";
import { createKafka, deadLetterTopic, startProgram } from "@perkstream/program";
import { Registry } from "@perkstream/service";
import { freePorts } from "@perkstream/stack";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { prepare } from "../start/prepare.ts";
import { startServices } from "../start/run-services.ts";
import { services } from "../start/services.ts";
import { readSettings } from "../start/settings.ts";
import { makeMerchant, type Api } from "./api.ts";

/* A program that was added: its process, the broker, the inbox and a socket. Nothing of tier and cashback runs. */

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const stops: (() => Promise<unknown>)[] = [];
let api: Api;

beforeAll(async () => {
  const shared = inject("stack");
  const database = await testDatabase(shared.postgresUrl, []);
  stops.push(() => database.drop());
  const stack = { ...shared, postgresUrl: database.url, stop: async () => {} };
  const dataDir = await mkdtemp(join(tmpdir(), "perkstream-stamps-"));
  stops.push(() => rm(dataDir, { recursive: true, force: true }));
  await mkdir(join(dataDir, "run"));
  const free = await freePorts(services.length);
  const ports = Object.fromEntries(services.map(({ port }, i) => [port.variable, String(free[i])]));
  // Other tests share the broker: the topics have as many partitions as theirs, and the inbox's own group is left to them.
  const shares = { PERKS_PARTITIONS: "3", PERKS_RUN_INBOX: "false" };
  const env = { ...process.env, ...ports, ...shares, PERKS_DATA_DIR: dataDir, LOG_LEVEL: "warn" };
  const settings = await readSettings(env, services);
  await prepare(services, settings, stack, () => {});
  const chosen = services.filter(({ name }) => ["stamps-processor", "notifier", "merchant-api"].includes(name));
  const running = await startServices(chosen, settings, stack, { onReady: () => {}, onCrash: (error) => console.error(error.message) });
  stops.push(() => running.stop());
  startInbox(database.url);
  const shop = { name: "Café", currency: "EUR", timeZone: "Europe/Berlin" };
  ({ api } = await makeMerchant(`http://127.0.0.1:${settings.ports.get("merchant-api")}`, shop));
}, 600_000);

afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
}, 600_000);

function startInbox(databaseUrl: string): void {
  const { kafkaBrokers, registryUrl } = inject("stack");
  const sql = openSql(databaseUrl, { max: 4, applicationName: "inbox-test", byIndex: true });
  const reader = openJsonDecoder(connectRegistry(registryUrl));
  const program = createInboxProgram({ reader, now: Date.now, groupId: `inbox.${randomUUID()}` });
  const kafka = createKafka({ brokers: kafkaBrokers.split(","), clientId: "stamps-test", log: quiet });
  const toTopics = { noticeTopic: topics.notifications, deadLetterTopic: deadLetterTopic(program.name) };
  const running = startProgram({ program, sql, kafka, ...toTopics, log: quiet, metrics: new Registry() });
  stops.push(
    () => sql.end({ timeout: 5 }),
    () => running.stop(),
  );
}

interface Note {
  readonly t: string;
  readonly type?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** The frames of a customer's socket from its welcome on. It is refused while the inbox reads what other tests have published. */
async function connect(customerId: string): Promise<Note[]> {
  const { token, url } = await api.call<{ token: string; url: string }>("POST", `/v1/customers/${customerId}/tokens`, {});
  let frames = open(url, token);
  const welcomed = () => {
    if (frames.isClosed) frames = open(url, token);
    return frames.got[0]?.t;
  };
  await expect.poll(welcomed, { timeout: 60_000, interval: 200 }).toBe("welcome");
  return frames.got;
}

function open(url: string, token: string): { readonly got: Note[]; readonly isClosed: boolean } {
  const got: Note[] = [];
  const socket = new WebSocket(url, ["perks.v1", `perks.auth.${token}`]);
  socket.addEventListener("open", () => socket.send(JSON.stringify({ t: "hello", device: "test" })));
  socket.addEventListener("message", ({ data }) => got.push(JSON.parse(String(data)) as Note));
  return {
    got,
    get isClosed() {
      return socket.readyState === WebSocket.CLOSED;
    },
  };
}

const order = (orderId: string, quantity: number) => ({
  orderId,
  customerId: "ann",
  lines: [{ sku: "flat-white", category: "coffee", quantity, netMinor: quantity * 350 }],
});

it("an order's stamp and reward reach the customer's socket and the inbox", async () => {
  await api.call("PUT", "/v1/stamp-cards/coffee", { name: "Coffee card", category: "coffee", size: 2 }, { "if-match": '"0"' });
  const frames = await connect("ann");
  const notes = () => frames.filter(({ t }) => t === "note").map(({ type, data }) => ({ type, ...data }));
  await api.call("POST", "/v1/orders", order("o1", 1));
  await expect.poll(notes, { timeout: 60_000 }).toHaveLength(1);
  await api.call("POST", "/v1/orders", order("o1", 1));
  await api.call("POST", "/v1/orders", order("o2", 2));
  await expect.poll(notes, { timeout: 60_000 }).toHaveLength(3);
  expect(notes()).toMatchObject([
    { type: "StampAdded", orderId: "o1", card: "Coffee card", added: 1, stamps: 1, size: 2 },
    { type: "StampAdded", orderId: "o2", added: 1, stamps: 0 },
    { type: "RewardEarned", orderId: "o2", rewards: 1, amountMinor: 350, currency: "EUR" },
  ]);
  const stored = async () => {
    const { data } = await api.call<{ data: { type: string; data: object }[] }>("GET", "/v1/customers/ann/notifications");
    return data.map((one) => ({ type: one.type, ...one.data })).toReversed();
  };
  await expect.poll(stored, { timeout: 60_000 }).toEqual(notes());
}, 600_000);
