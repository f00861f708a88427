import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { openSql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { ensureTopics } from "@perkstream/stack";
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

function run(env: Record<string, string>): { child: ChildProcess; output: () => string; exit: Promise<number | null> } {
  const { kafkaBrokers, registryUrl } = inject("stack");
  const base = {
    PATH: process.env["PATH"] ?? "",
    DATABASE_URL: database.url,
    KAFKA_BROKERS: kafkaBrokers,
    SCHEMA_REGISTRY_URL: registryUrl,
    PERKS_DRAIN_SECONDS: "0.1",
  };
  const child = spawn(process.execPath, ["--conditions=source", main], { env: { ...base, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (output += bytes.toString("utf8")));
  return { child, output: () => output, exit: new Promise((resolve) => child.once("exit", resolve)) };
}

test("the service starts on an empty database, serves page and sockets, and stops in order at SIGTERM", async () => {
  const port = await freePort();
  // Without the inbox: its group is the product's own, and other tests may run it at the same broker.
  const service = run({ NOTIFIER_PORT: String(port), PERKS_MODE: "development", PERKS_JWT_SECRET: secret, PERKS_RUN_INBOX: "false" });
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  await expect.poll(async () => (await get("/readyz").catch(() => null))?.status, { timeout: 20_000, interval: 100 }).toBe(200);
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
    await expect.poll(ready, { timeout: 20_000, interval: 100 }).toBe(200);
    service.child.kill("SIGTERM");
    expect(await service.exit).toBe(0);
  } finally {
    await admin.unsafe(`DROP ROLE IF EXISTS ${login}`);
    await admin.end();
    await empty.drop();
  }
});

test("it refuses to start with a short secret and names every problem", async () => {
  const service = run({ PERKS_JWT_SECRET: "short", NOTIFIER_PORT: "x" });
  expect(await service.exit).toBe(1);
  expect(service.output()).toContain("PERKS_JWT_SECRET: must have at least 32 bytes");
  expect(service.output()).toContain("NOTIFIER_PORT");
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
