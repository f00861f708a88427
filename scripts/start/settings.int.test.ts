import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addressesOf } from "./addresses.ts";
import { orderPrograms, services } from "./services.ts";
import { readSettings } from "./settings.ts";

let dataDir = "";
const read = (env: NodeJS.ProcessEnv = {}) => readSettings({ PERKS_DATA_DIR: dataDir, ...env }, services);

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "perkstream-settings-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

test("without settings: development, 12 partitions, the documented ports", async () => {
  const settings = await read();
  expect(settings).toMatchObject({ isDevelopment: true, partitions: 12 });
  expect(Object.fromEntries(settings.ports)).toMatchObject({
    "merchant-api": 8080,
    notifier: 8081,
    "tier-processor": 8082,
    "cashback-processor": 8083,
  });
  expect(new Set(settings.ports.values()).size).toBe(services.length);
});

test("the secret of the tokens is made once, is long enough and only ours to read", async () => {
  const { jwtSecret } = await read();
  expect(Buffer.byteLength(jwtSecret)).toBeGreaterThanOrEqual(32);
  expect((await read()).jwtSecret).toBe(jwtSecret);
  expect((await stat(join(dataDir, "jwt.secret"))).mode & 0o077).toBe(0);
  expect((await read({ PERKS_JWT_SECRET: "x".repeat(40) })).jwtSecret).toBe("x".repeat(40));
});

test.each([
  [{ NOTIFIER_PORT: "many" }, /^NOTIFIER_PORT must be a port/],
  [{ PERKS_PARTITIONS: "0" }, /^PERKS_PARTITIONS must be a whole number/],
])("%o is refused by name", async (env, message) => {
  await expect(read(env)).rejects.toThrow(message);
});

test("the line of `npm run up` has these keys in this order, and the notifier's origin has no path", async () => {
  const stack = { postgresUrl: "postgres://p", kafkaBrokers: "127.0.0.1:1", registryUrl: "http://r/apis/ccompat/v7", stop: async () => {} };
  const addresses = addressesOf(await read(), stack);
  expect(orderPrograms.slice(0, 2)).toEqual(["tier", "cashback"]);
  expect(Object.keys(addresses)).toEqual([
    "merchantApi",
    "notifier",
    "customerPage",
    ...orderPrograms,
    "kafka",
    "schemaRegistry",
    "postgres",
  ]);
  expect(addresses.notifier).toBe("ws://127.0.0.1:8081");
});
