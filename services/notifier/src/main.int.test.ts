import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inboxName, inboxTopic, migrations as inboxMigrations } from "@perkstream/inbox";
import { openSql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { ensureProgress } from "@perkstream/program";
import { ensureTopics, freePorts, startStack } from "@perkstream/stack";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { Device } from "./testing/device.ts";
import { customerToken, newCustomer, secret } from "./testing/rig.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
let database: TestDatabase;

beforeAll(async () => {
  const stack = inject("stack");
  await ensureTopics(stack.kafkaBrokers, { partitions: 3, development: true });
  database = await testDatabase(stack.postgresUrl, []);
});

afterAll(() => database.drop());

function run(
  env: Record<string, string>,
  args: readonly string[] = [],
): { child: ChildProcess; output: () => string; exit: Promise<number | null> } {
  const { kafkaBrokers, registryUrl } = inject("stack");
  const base = {
    PATH: process.env["PATH"] ?? "",
    DATABASE_URL: database.url,
    KAFKA_BROKERS: kafkaBrokers,
    SCHEMA_REGISTRY_URL: registryUrl,
    PERKS_DRAIN_SECONDS: "0.1",
  };
  const child = spawn(process.execPath, ["--conditions=source", main, ...args], {
    env: { ...base, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (output += bytes.toString("utf8")));
  return { child, output: () => output, exit: new Promise((resolve) => child.once("exit", resolve)) };
}

test("the service starts on an empty database, serves page and sockets, and stops in order at SIGTERM", async () => {
  const port = await freePort();
  // Without the inbox: its group is the product's own, and other tests may run it at the same broker.
  const service = run({ NOTIFIER_PORT: String(port), PERKS_MODE: "development", PERKS_JWT_SECRET: secret, PERKS_RUN_INBOX: "false" });
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  await expect.poll(async () => (await get("/readyz").catch(() => null))?.status, { timeout: 60_000, interval: 100 }).toBe(200);
  expect(await (await get("/")).text()).toContain("<html");
  expect(await (await get("/config.json")).json()).toMatchObject({ merchantApi: "http://127.0.0.1:8080", merchantId: expect.any(String) });
  expect(await (await get("/metrics")).text()).toContain("process_cpu_seconds_total");
  const device = await Device.connect(port, await customerToken(newCustomer())).opened();
  service.child.kill("SIGTERM");
  expect(await device.closed).toEqual({ code: 1012, reason: "restart" });
  expect(await service.exit).toBe(0);
});

test("with a login of its own it works on a migrated database, and says what an unmigrated one lacks", async () => {
  const login = `notifier_${randomBytes(4).toString("hex")}`;
  const admin = openSql(database.url, { max: 1, applicationName: "test" });
  const empty = await testDatabase(inject("stack").postgresUrl, []);
  const start = async (url: string) => {
    const own = Object.assign(new URL(url), { username: login, password: login }).href;
    const port = await freePort();
    return { port, ...run({ DATABASE_URL: own, NOTIFIER_PORT: String(port), PERKS_JWT_SECRET: secret, PERKS_RUN_INBOX: "false" }) };
  };
  try {
    await admin.unsafe(`CREATE ROLE ${login} LOGIN PASSWORD '${login}' IN ROLE perkstream_notifier`);
    const lacking = await start(empty.url);
    expect(await lacking.exit).toBe(1);
    expect(lacking.output()).toContain("lacks migrations of inbox: 0000_inbox, ");
    const service = await start(database.url);
    const ready = async () => (await fetch(`http://127.0.0.1:${service.port}/readyz`).catch(() => null))?.status;
    await expect.poll(ready, { timeout: 60_000, interval: 100 }).toBe(200);
    service.child.kill("SIGTERM");
    expect(await service.exit).toBe(0);
  } finally {
    await admin.unsafe(`DROP ROLE IF EXISTS ${login}`);
    await admin.end();
    await empty.drop();
  }
});

test("with --accept-gap the inbox goes on where the log does not hold the stored offset", async () => {
  // A broker of its own: the inbox's group is the product's.
  const { postgresUrl, registryUrl } = inject("stack");
  const dataDir = await mkdtemp(join(tmpdir(), "perkstream-notifier-"));
  const kafka = await freePort();
  const env = { ...process.env, DATABASE_URL: postgresUrl, SCHEMA_REGISTRY_URL: registryUrl };
  const stack = await startStack({ dataDir, ports: { kafka }, env, ephemeral: true });
  const own = await testDatabase(postgresUrl, [inboxMigrations]);
  const sql = openSql(own.url, { max: 1, applicationName: "test" });
  try {
    await ensureTopics(stack.kafkaBrokers, { partitions: 3, development: true });
    await ensureProgress(sql, { program: inboxName, topic: inboxTopic }, 3);
    await sql`UPDATE inbox.progress SET next_off = 5 WHERE part = 1`;
    const port = await freePort();
    const address = { DATABASE_URL: own.url, KAFKA_BROKERS: stack.kafkaBrokers, NOTIFIER_PORT: String(port) };
    const service = run({ ...address, PERKS_JWT_SECRET: secret }, ["--accept-gap"]);
    const ready = async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.status;
    await expect.poll(ready, { timeout: 60_000, interval: 100 }).toBe(200);
    expect(await sql`SELECT next_off FROM inbox.progress ORDER BY part`).toEqual([{ next_off: 0n }, { next_off: 0n }, { next_off: 0n }]);
    service.child.kill("SIGTERM");
    expect(await service.exit).toBe(0);
  } finally {
    await sql.end();
    await own.drop();
    await stack.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}, 240_000);

test("it refuses to start with a short secret and names every problem", async () => {
  const service = run({ PERKS_JWT_SECRET: "short", NOTIFIER_PORT: "x" });
  expect(await service.exit).toBe(1);
  expect(service.output()).toContain("PERKS_JWT_SECRET: must have at least 32 bytes");
  expect(service.output()).toContain("NOTIFIER_PORT");
});

async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}
