import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { answersQueries } from "../embedded/postgres.ts";
import { isBrokerReady } from "../embedded/kafka.ts";
import { isRegistryReady, registryUrlAt } from "../embedded/registry.ts";
import type { GivenAddresses } from "../embedded/start.ts";
import { StackError } from "../errors.ts";
import type { Stack, StackOptions } from "../options.ts";
import { freePorts, loopback, portFrom, stackPorts } from "../ports.ts";
import { waitUntil } from "../wait.ts";
import { startTestContainers } from "./test-containers.ts";

const run = promisify(execFile);
const answerLimitMs = 5_000;
const readyLimitMs = 180_000;
const composeFile = fileURLToPath(new URL("../../../../docker-compose.yml", import.meta.url));
const composeServices = { postgresUrl: "postgres", kafkaBrokers: "kafka", registryUrl: "registry" } as const;

/** Whether a Docker engine answers. */
export async function isEngineThere(env: NodeJS.ProcessEnv): Promise<boolean> {
  try {
    await run("docker", ["version", "--format", "{{.Server.Version}}"], { env, timeout: answerLimitMs });
    return true;
  } catch {
    return false;
  }
}

/**
 * The servers that the environment does not bring, in containers: of their own and removed at the end for tests (testcontainers),
 * those of docker-compose.yml with their volumes for people. Throws `docker_failed`.
 */
export async function startContainers(options: StackOptions, env: NodeJS.ProcessEnv, given: GivenAddresses): Promise<Stack> {
  if (given.postgresUrl !== undefined && given.registryUrl === undefined) {
    throw new StackError(
      "docker_failed",
      "The schema registry's container keeps its tables in PostgreSQL's container: with DATABASE_URL, set SCHEMA_REGISTRY_URL too.",
    );
  }
  const startedAt = performance.now();
  const report = (text: string, done: boolean) =>
    options.onProgress?.({ part: "Docker", text, done, durationMs: Math.round(performance.now() - startedAt) });
  report("starting containers", false);
  const ports = await choosePorts(options, env);
  const stop = options.ephemeral === true ? await startTestContainers(ports) : await startCompose(env, ports, given);
  const started = {
    postgresUrl:
      given.postgresUrl ??
      `postgres://perkstream:${options.ephemeral === true ? "perkstream" : composePassword(env)}@${loopback}:${ports.postgres}/perkstream`,
    kafkaBrokers: given.kafkaBrokers ?? `${loopback}:${ports.kafka}`,
    registryUrl: given.registryUrl ?? registryUrlAt(`http://${loopback}:${ports.registry}`),
  };
  try {
    await requireReady("PostgreSQL", () => answersQueries(started.postgresUrl));
    await requireReady("Kafka", () => isBrokerReady(started.kafkaBrokers));
    await requireReady("the schema registry", () => isRegistryReady(started.registryUrl));
  } catch (error) {
    await stop();
    throw error;
  }
  report("containers ready", true);
  return { ...started, stop };
}

interface Ports {
  readonly postgres: number;
  readonly kafka: number;
  readonly registry: number;
}

async function choosePorts(options: StackOptions, env: NodeJS.ProcessEnv): Promise<Ports> {
  const [postgres = 0, kafka = 0, registry = 0] = await freePorts(3);
  const free = { postgres, kafka, registry };
  const choose = (part: keyof Ports) =>
    options.ports?.[part] ?? (options.ephemeral === true ? free[part] : portFrom(stackPorts[part], env));
  return { postgres: choose("postgres"), kafka: choose("kafka"), registry: choose("registry") };
}

async function startCompose(env: NodeJS.ProcessEnv, ports: Ports, given: GivenAddresses): Promise<() => Promise<void>> {
  const names = (["postgresUrl", "kafkaBrokers", "registryUrl"] as const)
    .filter((key) => given[key] === undefined)
    .map((key) => composeServices[key]);
  const composeEnv = {
    ...env,
    PERKS_POSTGRES_PORT: String(ports.postgres),
    PERKS_KAFKA_PORT: String(ports.kafka),
    PERKS_REGISTRY_PORT: String(ports.registry),
  };
  const compose = (...args: string[]) => run("docker", ["compose", "--file", composeFile, ...args], { env: composeEnv });
  try {
    await compose("up", "--detach", ...names);
  } catch (cause) {
    throw new StackError("docker_failed", `Docker could not start the containers of docker-compose.yml: ${lastLine(cause)}.`, { cause });
  }
  return async () => void (await compose("stop", ...names));
}

async function requireReady(name: string, check: () => Promise<boolean>): Promise<void> {
  if (await waitUntil(check, readyLimitMs)) return;
  throw new StackError(
    "docker_failed",
    `The container of ${name} was not ready within ${readyLimitMs / 1_000} s: see \`docker compose logs\`.`,
  );
}

function composePassword(env: NodeJS.ProcessEnv): string {
  return encodeURIComponent(env["PERKS_POSTGRES_PASSWORD"] ?? "perkstream");
}

function lastLine(error: unknown): string {
  const text = typeof error === "object" && error !== null && "stderr" in error ? String(error.stderr) : String(error);
  return (text.trim().split("\n").at(-1) ?? "").replace(/\.$/, "");
}
