import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Child, endLeftover, openGuard, requireFree, type Guard, type Stack, type StackError } from "@perkstream/stack";
import type { ServiceEntry } from "./services.ts";
import type { StartSettings } from "./settings.ts";

const readyLimitMs = 180_000;
const requestLimitMs = 2_000;
/** Longer than any service's own deadline, so that it says itself what did not stop. */
const stopLimitMs = 35_000;

export interface RunningServices {
  /** One after the other, the last first; each is killed after its deadline. */
  stop(): Promise<void>;
}

export interface ServiceHooks {
  readonly onReady: (name: string, durationMs: number) => void;
  readonly onCrash: (error: StackError) => void;
}

/** Throws `port_taken` for the first port that somebody listens on; ends what an earlier, killed start left there. */
export async function freeServicePorts(services: readonly ServiceEntry[], settings: StartSettings): Promise<void> {
  for (const { name, port } of services) {
    await endLeftover(pidFile(settings, name), "SIGTERM");
    await requireFree(port, portOf(settings, name));
  }
}

/** Starts all services at once and waits for every /readyz. Throws StackError when one ends or is not ready in time; the others are then stopped. */
export async function startServices(
  services: readonly ServiceEntry[],
  settings: StartSettings,
  stack: Stack,
  hooks: ServiceHooks,
): Promise<RunningServices> {
  await mkdir(join(settings.dataDir, "logs"), { recursive: true });
  const env = serviceEnvironment(services, settings, stack);
  const guard = openGuard();
  const children: Child[] = [];
  const stop = async () => {
    for (const child of children.toReversed()) await child.stop(stopLimitMs);
    guard.close();
  };
  try {
    for (const { name } of services) children.push(await startChild(name, settings, env, guard, hooks));
    await Promise.all(children.map((child) => waitReady(child, portOf(settings, child.name), hooks)));
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What every service reads; all get all, since the merchant API names the notifier's address in its answers and the other way round. */
export function serviceEnvironment(services: readonly ServiceEntry[], settings: StartSettings, stack: Stack): NodeJS.ProcessEnv {
  const ports = services.map(({ name, port }) => [port.variable, String(portOf(settings, name))] as const);
  return {
    PERKS_MODE: "development",
    LOG_LEVEL: "info",
    ...(settings.isDevelopment ? { PERKS_BOOTSTRAP_KEY: "development" } : {}),
    ...nonEmpty(settings.env),
    ...Object.fromEntries(ports),
    DATABASE_URL: stack.postgresUrl,
    KAFKA_BROKERS: stack.kafkaBrokers,
    SCHEMA_REGISTRY_URL: stack.registryUrl,
    PERKS_JWT_SECRET: settings.jwtSecret,
  };
}

/** Arguments that run a TypeScript file of the repository with this Node. */
export function sourceArguments(file: string): string[] {
  return ["--conditions=source", "--disable-warning=ExperimentalWarning", file];
}

async function startChild(
  name: string,
  settings: StartSettings,
  env: NodeJS.ProcessEnv,
  guard: Guard,
  hooks: ServiceHooks,
): Promise<Child> {
  return Child.start({
    name,
    command: process.execPath,
    args: sourceArguments(join(settings.root, "services", name, "src", "main.ts")),
    cwd: settings.root,
    env,
    logFile: join(settings.dataDir, "logs", `${name}.log`),
    pidFile: pidFile(settings, name),
    stopSignal: "TERM",
    guard,
    onCrash: hooks.onCrash,
  });
}

async function waitReady(child: Child, port: number, hooks: ServiceHooks): Promise<void> {
  const startedAt = performance.now();
  await child.ready(() => isReady(`http://127.0.0.1:${port}/readyz`), readyLimitMs);
  hooks.onReady(child.name, performance.now() - startedAt);
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(requestLimitMs) });
  await response.body?.cancel();
  return response.status === 200;
}

function portOf(settings: StartSettings, name: string): number {
  const port = settings.ports.get(name);
  if (port === undefined) throw new Error(`${name} has no port`);
  return port;
}

function pidFile(settings: StartSettings, name: string): string {
  return join(settings.dataDir, "run", `${name}.pid`);
}

function nonEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
}
