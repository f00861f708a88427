import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { freePorts } from "@perkstream/stack";
import { services } from "../start/services.ts";

/* The whole product as a user starts it, on free ports and with data of its own, so that it disturbs nothing that runs. */

/** The line that `npm run up` prints (design: one line of JSON when everything is ready). */
interface Addresses {
  merchantApi: string;
  notifier: string;
  customerPage: string;
  kafka: string;
  schemaRegistry: string;
  postgres: string;
}

export interface Product extends Addresses {
  /** What a script needs to talk to this product. */
  env: NodeJS.ProcessEnv;
  /** Resolves with the exit code once everything has stopped in order; the data is removed. */
  stop(): Promise<number | null>;
}

const readyWithinMs = 180_000;
const stopWithinMs = 60_000;
const keptLines = 60;

const ports = [...services.map(({ port }) => port.variable), "PERKS_POSTGRES_PORT", "PERKS_KAFKA_PORT", "PERKS_REGISTRY_PORT"];

/** Starts `npm run up`; rejects with the last lines of its output when it ends or is not ready in time. */
export async function startProduct(): Promise<Product> {
  const dataDir = await mkdtemp(join(tmpdir(), "perkstream-e2e-"));
  const free = await freePorts(ports.length);
  const env: NodeJS.ProcessEnv = { ...process.env, PERKS_DATA_DIR: dataDir };
  for (const name of ["DATABASE_URL", "KAFKA_BROKERS", "SCHEMA_REGISTRY_URL", "NODE_OPTIONS", "VITEST"]) delete env[name];
  for (const [n, name] of ports.entries()) env[name] = String(free[n]);
  // As under npm: it stops by itself when this process is gone.
  env["PERKS_BOOTSTRAP_PID"] = String(process.pid);
  const child = spawn(process.execPath, nodeArguments("start/up.ts"), { env, stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const stop = async (): Promise<number | null> => {
    const code = await stopChild(child, exited);
    await rm(dataDir, { recursive: true, force: true });
    return code;
  };
  try {
    const { addresses } = await untilReady(child, exited);
    const reach = {
      DATABASE_URL: addresses.postgres,
      KAFKA_BROKERS: addresses.kafka,
      SCHEMA_REGISTRY_URL: addresses.schemaRegistry,
    };
    return { ...addresses, env: { ...env, ...reach }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs a script of this folder's parent to its end; returns its last line of output, rejects when it does not exit with 0. */
export async function runScript(script: string, args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(process.execPath, [...nodeArguments(script), ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const lines = keepLines(child);
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`${script} ended with ${String(code)}:\n${lines.all.join("\n")}`);
  return lines.out.at(-1) ?? "";
}

const nodeArguments = (script: string): string[] => [
  "--conditions=source",
  "--disable-warning=ExperimentalWarning",
  fileURLToPath(new URL(`../${script}`, import.meta.url)),
];

interface Lines {
  out: string[];
  all: string[];
}

function keepLines(child: ChildProcess, onOut?: (line: string) => void): Lines {
  const lines: Lines = { out: [], all: [] };
  for (const stream of ["stdout", "stderr"] as const) {
    const input = child[stream];
    if (input === null) continue;
    createInterface({ input }).on("line", (line) => {
      for (const list of stream === "stdout" ? [lines.out, lines.all] : [lines.all]) {
        if (list.push(line) > keptLines) list.shift();
      }
      if (stream === "stdout") onOut?.(line);
    });
  }
  return lines;
}

async function untilReady(child: ChildProcess, exited: Promise<number | null>): Promise<{ addresses: Addresses }> {
  let lines: Lines = { out: [], all: [] };
  const ready = new Promise<Addresses>((resolve) => {
    lines = keepLines(child, (line) => {
      if (line.startsWith('{"ready":true')) resolve(JSON.parse(line) as Addresses);
    });
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`was not ready within ${readyWithinMs} ms`), readyWithinMs);
  });
  const failed = Promise.race([late, exited.then((code) => `ended with ${String(code)}`)]);
  const first = await Promise.race([ready, failed]);
  clearTimeout(timer);
  if (typeof first === "string") throw new Error(`The product ${first}; its last lines:\n${lines.all.join("\n")}`);
  return { addresses: first };
}

async function stopChild(child: ChildProcess, exited: Promise<number | null>): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
  const code = await exited;
  clearTimeout(timer);
  return code;
}
