import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, waitUntil, type Stack, type StackError } from "@perkstream/stack";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freeServicePorts, startServices } from "./run-services.ts";
import type { ServiceEntry } from "./services.ts";
import type { StartSettings } from "./settings.ts";

// Services are replaced by small programs, so that the tests say what happens around them.
const stack: Stack = { postgresUrl: "postgres://p/p", kafkaBrokers: "k:1", registryUrl: "http://r", stop: async () => {} };
const noMigrations = { schema: "none", folder: "/none" };
let root = "";
let settings: StartSettings;
let journal = "";

const entry = (name: string): ServiceEntry => ({
  name,
  port: { name: `The ${name}`, variable: `${name.toUpperCase()}_PORT`, fallback: 1 },
  migrations: noMigrations,
});

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "perkstream-services-"));
  journal = join(root, "journal");
  await mkdir(join(root, "run"));
  const [one = 0, two = 0] = await freePorts(2);
  const env = { PATH: process.env["PATH"], JOURNAL: journal };
  settings = {
    root,
    dataDir: root,
    env,
    isDevelopment: true,
    partitions: 1,
    ports: new Map([
      ["one", one],
      ["two", two],
    ]),
    jwtSecret: "s",
  };
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function program(name: string, body: string): Promise<void> {
  await mkdir(join(root, "services", name, "src"), { recursive: true });
  await writeFile(join(root, "services", name, "src", "main.ts"), body);
}

const wellBehaved = (name: string) => `
  const http = require("node:http"), fs = require("node:fs");
  const readyAt = Date.now() + 200;
  http.createServer((request, response) => {
    if (request.url === "/crash") throw new Error("broken");
    response.writeHead(Date.now() < readyAt ? 503 : 200).end();
  }).listen(Number(process.env.${name.toUpperCase()}_PORT), "127.0.0.1");
  process.on("SIGTERM", () => { fs.appendFileSync(process.env.JOURNAL, "${name} "); process.exit(0); });`;

test("waits for every /readyz and stops in reverse order", async () => {
  await program("one", wellBehaved("one"));
  await program("two", wellBehaved("two"));
  const ready: string[] = [];
  const running = await startServices([entry("one"), entry("two")], settings, stack, {
    onReady: (name) => ready.push(name),
    onCrash: () => {},
  });
  expect(ready.toSorted()).toEqual(["one", "two"]);
  await running.stop();
  expect(await readFile(journal, "utf8")).toBe("two one ");
});

test("a service that cannot start is named with its reason, and the others are stopped", async () => {
  await program("one", wellBehaved("one"));
  // Not before one answers: a program that is told to stop sooner has no handler yet that could write.
  await program(
    "two",
    `const http = require("node:http");
    const ask = () => http.get("http://127.0.0.1:" + process.env.ONE_PORT, fail).on("error", () => setTimeout(ask, 20));
    const fail = () => { console.error("Error: the table tier.history is missing"); process.exit(3); };
    ask();`,
  );
  const started = startServices([entry("one"), entry("two")], settings, stack, { onReady: () => {}, onCrash: () => {} });
  await expect(started).rejects.toMatchObject({
    code: "child_crashed",
    message: `two ended by itself (exit code 3): Error: the table tier.history is missing; its log is ${join(root, "logs", "two.log")}.`,
  });
  expect(await readFile(journal, "utf8")).toBe("one ");
});

test("a crash after the start is reported once", async () => {
  await program("one", wellBehaved("one"));
  const crashes: StackError[] = [];
  const running = await startServices([entry("one")], settings, stack, { onReady: () => {}, onCrash: (error) => crashes.push(error) });
  await fetch(`http://127.0.0.1:${settings.ports.get("one")}/crash`).catch(() => {});
  await waitUntil(() => crashes.length > 0, 20_000);
  expect(crashes.map(({ message }) => message)).toEqual([expect.stringContaining("one ended by itself (exit code 1)")]);
  await running.stop();
});

test("a taken port is named with its variable before anything is started", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(settings.ports.get("two"), "127.0.0.1", resolve));
  await expect(freeServicePorts([entry("one"), entry("two")], settings)).rejects.toMatchObject({
    code: "port_taken",
    message: expect.stringMatching(/^The two cannot use port \d+, .* set TWO_PORT to a free port\.$/),
  });
  await new Promise((resolve) => other.close(resolve));
});
