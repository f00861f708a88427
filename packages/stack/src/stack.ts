import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isEngineThere, startContainers } from "./docker/containers.ts";
import { findJava } from "./embedded/java.ts";
import { areJarsInstalled } from "./embedded/install.ts";
import { answersQueries } from "./embedded/postgres.ts";
import { isRegistryReady } from "./embedded/registry.ts";
import { startEmbedded, type GivenAddresses, type Servers } from "./embedded/start.ts";
import { StackError } from "./errors.ts";
import type { Stack, StackOptions } from "./options.ts";
import { isPortOpen } from "./ports.ts";
import { waitUntil } from "./wait.ts";

const run = promisify(execFile);
const givenReadyLimitMs = 15_000;
const sharedCache = fileURLToPath(new URL("../../../.perkstream/cache", import.meta.url));

/**
 * PostgreSQL, Kafka and a schema registry, each from the first of: an address in the environment, Docker (with PERKS_STACK=docker, or
 * when Java or Maven is missing and an engine answers), programs started here. Throws StackError with one sentence.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  // The one place that reads it: what starts programs has to hand the environment on to them.
  const env = options.env ?? process.env;
  const given = givenAddresses(env);
  await requireReachable(given);
  if (given.postgresUrl !== undefined && given.kafkaBrokers !== undefined && given.registryUrl !== undefined) {
    return { postgresUrl: given.postgresUrl, kafkaBrokers: given.kafkaBrokers, registryUrl: given.registryUrl, stop: async () => {} };
  }
  const cacheDir = resolve(setting(env, "PERKS_CACHE_DIR") ?? sharedCache);
  if (await usesDocker(env, cacheDir, given)) return startContainers(options, env, given);
  const { postgresUrl, kafkaBrokers, registryUrl, stop } = await startEmbedded(options, env, cacheDir, given);
  return { postgresUrl, kafkaBrokers, registryUrl, stop };
}

/** Starts all three servers as programs of this machine, whatever the environment names; each can be started again. Throws StackError. */
export async function startServers(options: StackOptions): Promise<Servers> {
  const env = options.env ?? process.env;
  const none: GivenAddresses = { postgresUrl: undefined, kafkaBrokers: undefined, registryUrl: undefined };
  return startEmbedded(options, env, resolve(setting(env, "PERKS_CACHE_DIR") ?? sharedCache), none);
}

function givenAddresses(env: NodeJS.ProcessEnv): GivenAddresses {
  return {
    postgresUrl: setting(env, "DATABASE_URL"),
    kafkaBrokers: setting(env, "KAFKA_BROKERS"),
    registryUrl: setting(env, "SCHEMA_REGISTRY_URL")?.replace(/\/$/, ""),
  };
}

function setting(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value === "" ? undefined : value;
}

async function requireReachable({ postgresUrl, kafkaBrokers, registryUrl }: GivenAddresses): Promise<void> {
  const checks: [name: string, variable: string, check: () => Promise<boolean>][] = [];
  if (postgresUrl !== undefined) checks.push(["PostgreSQL", "DATABASE_URL", () => answersQueries(postgresUrl)]);
  // Only the port: what the brokers ask for (SASL, TLS) is the services' business.
  if (kafkaBrokers !== undefined) checks.push(["Kafka", "KAFKA_BROKERS", () => isPortOpen(kafkaBrokers.split(",")[0] ?? "")]);
  if (registryUrl !== undefined) checks.push(["The schema registry", "SCHEMA_REGISTRY_URL", () => isRegistryReady(registryUrl)]);
  await Promise.all(
    checks.map(async ([name, variable, check]) => {
      if (await waitUntil(check, givenReadyLimitMs)) return;
      throw new StackError(
        "unreachable",
        `${name} does not answer at the address in ${variable}: start it, correct the address, or remove ${variable} to have one started here.`,
      );
    }),
  );
}

async function usesDocker(env: NodeJS.ProcessEnv, cacheDir: string, given: GivenAddresses): Promise<boolean> {
  const choice = setting(env, "PERKS_STACK");
  if (choice === "docker") {
    if (await isEngineThere(env)) return true;
    throw new StackError("docker_failed", "PERKS_STACK is docker, but no Docker engine answers: start it, or remove PERKS_STACK.");
  }
  if (choice !== undefined && choice !== "embedded")
    throw new StackError("docker_failed", `PERKS_STACK must be embedded or docker, not "${choice}".`);
  if (choice === "embedded" || (given.kafkaBrokers !== undefined && given.registryUrl !== undefined)) return false;
  return !(await canEmbed(env, cacheDir)) && (await isEngineThere(env));
}

async function canEmbed(env: NodeJS.ProcessEnv, cacheDir: string): Promise<boolean> {
  try {
    await findJava(env);
    if (!(await areJarsInstalled(cacheDir))) await run("mvn", ["-version"], { env });
    return true;
  } catch {
    return false;
  }
}
