import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { openGuard } from "../process/guard.ts";
import type { Stack, StackOptions, StackProgress } from "../options.ts";
import { freePorts, loopback, portFrom, requireFree, stackPorts } from "../ports.ts";
import type { Child } from "../process/child.ts";
import type { EmbeddedContext } from "./context.ts";
import { installJars } from "./install.ts";
import { findJava } from "./java.ts";
import { startKafka } from "./kafka.ts";
import { claimFolder } from "../process/lock.ts";
import { endLeftover } from "../process/pid-file.ts";
import { startPostgres } from "./postgres.ts";
import { registryUrlAt, startRegistry } from "./registry.ts";

const stopLimitMs: Readonly<Record<ServerName, number>> = { registry: 5_000, kafka: 15_000, postgres: 15_000 };

/** What the environment brings; the missing ones are started. */
export interface GivenAddresses {
  readonly postgresUrl: string | undefined;
  readonly kafkaBrokers: string | undefined;
  readonly registryUrl: string | undefined;
}

/** The servers that were started here, in the order of their start. */
const serverNames = ["postgres", "kafka", "registry"] as const;
export type ServerName = (typeof serverNames)[number];

/** Servers that this process started, and can stop and start one by one. */
export interface Servers extends Stack {
  /** Undefined when it does not run. */
  pidOf(server: ServerName): number | undefined;
  /** Stops one in order; does nothing to one that has ended. */
  stopOne(server: ServerName): Promise<void>;
  /** Starts one that has ended or been stopped, on its data and port. Throws StackError; then it is down. */
  startOne(server: ServerName): Promise<void>;
}

/**
 * Starts the missing servers as child processes. PostgreSQL first, since the registry keeps its tables there; Kafka meanwhile.
 *
 *   lock dataDir ─► end leftovers ─► ports free? ─┬─► PostgreSQL ──────────► registry ─┬─► ready
 *                                                 └─► jars (Maven, once) ─► Kafka ─────┘
 */
export async function startEmbedded(
  options: StackOptions,
  env: NodeJS.ProcessEnv,
  cacheDir: string,
  given: GivenAddresses,
): Promise<Servers> {
  const dataDir = resolve(options.dataDir);
  const [runDir, logDir] = [join(dataDir, "run"), join(dataDir, "logs")];
  await mkdir(runDir, { recursive: true });
  await mkdir(logDir, { recursive: true });
  const claim = await claimFolder(dataDir, join(runDir, "stack.pid"));
  const guard = openGuard();
  const stops: (() => Promise<void>)[] = [];
  const stop = once(async () => {
    await claim.stopping();
    for (const step of stops.toReversed()) await step();
    guard.close();
    await claim.release();
  });
  try {
    const context: EmbeddedContext = {
      dataDir,
      runDir,
      logDir,
      env,
      ephemeral: options.ephemeral ?? false,
      guard,
      onCrash: (error) => options.onCrash?.(error),
    };
    await endLeftovers(runDir);
    return { ...(await startMissing(context, options, cacheDir, given, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startMissing(
  context: EmbeddedContext,
  options: StackOptions,
  cacheDir: string,
  given: GivenAddresses,
  stops: (() => Promise<void>)[],
): Promise<Omit<Servers, "stop">> {
  const ports = await choosePorts(options, context.env, given);
  const report = reporter(options);
  const needsJava = given.kafkaBrokers === undefined || given.registryUrl === undefined;
  const java = needsJava ? await findJava(context.env) : "";
  const running = new Map<ServerName, { child: Child; start: () => Promise<Child> }>();
  for (const name of serverNames) stops.push(async () => running.get(name)?.child.stop(stopLimitMs[name]));
  const run = async (name: ServerName, start: () => Promise<Child>) => void running.set(name, { child: await start(), start });

  const downloads = report("Downloads");
  const jars = needsJava
    ? installJars(cacheDir, context.env, (text) => downloads(text, false))
    : Promise.resolve({ kafka: "", registry: "" });
  const postgresUrl = (async () => {
    if (given.postgresUrl !== undefined) return given.postgresUrl;
    const done = report("PostgreSQL");
    let url = "";
    await run("postgres", async () => {
      const server = await startPostgres(context, ports.postgres);
      url = server.url;
      return server.child;
    });
    done(`ready on port ${ports.postgres}`, true);
    return url;
  })();
  const kafkaBrokers = (async () => {
    if (given.kafkaBrokers !== undefined) return given.kafkaBrokers;
    const folder = (await jars).kafka;
    const done = report("Kafka");
    const { kafka: port, controller } = ports;
    const advertised = options.kafkaAdvertisedPort ?? port;
    await run("kafka", () => startKafka(context, java, folder, { port, advertised, controller }));
    done(`ready on port ${port}`, true);
    return `${loopback}:${advertised}`;
  })();
  const registryUrl = (async () => {
    if (given.registryUrl !== undefined) return given.registryUrl;
    const [url, { registry }] = await Promise.all([postgresUrl, jars]);
    const done = report("Schema registry");
    await run("registry", () => startRegistry(context, java, registry, ports.registry, url));
    done(`ready on port ${ports.registry}`, true);
    return registryUrlAt(`http://${loopback}:${ports.registry}`);
  })();
  // All must have settled before a failure is passed on: a server that is still starting could not be stopped.
  const settled = await Promise.allSettled([postgresUrl, kafkaBrokers, registryUrl]);
  const failure = settled.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return {
    postgresUrl: await postgresUrl,
    kafkaBrokers: await kafkaBrokers,
    registryUrl: await registryUrl,
    pidOf: (name) => {
      const child = running.get(name)?.child;
      return child === undefined || child.hasEnded ? undefined : child.pid;
    },
    stopOne: async (name) => running.get(name)?.child.stop(stopLimitMs[name]),
    startOne: async (name) => {
      const server = running.get(name);
      if (server === undefined) throw new Error(`${name} was not started here`);
      await server.child.stop(stopLimitMs[name]);
      await run(name, server.start);
    },
  };
}

async function endLeftovers(runDir: string): Promise<void> {
  await endLeftover(join(runDir, "registry.pid"), "SIGTERM");
  await endLeftover(join(runDir, "kafka.pid"), "SIGTERM");
  await endLeftover(join(runDir, "postgres.pid"), "SIGINT");
}

async function choosePorts(
  options: StackOptions,
  env: NodeJS.ProcessEnv,
  given: GivenAddresses,
): Promise<Record<"postgres" | "kafka" | "registry" | "controller", number>> {
  const [freePostgres = 0, freeKafka = 0, freeRegistry = 0, controller = 0] = await freePorts(4);
  const free = { postgres: freePostgres, kafka: freeKafka, registry: freeRegistry };
  const choose = async (part: keyof typeof free, isGiven: boolean) => {
    const setting = stackPorts[part];
    const wanted = options.ports?.[part] ?? (options.ephemeral === true ? free[part] : portFrom(setting, env));
    if (!isGiven) await requireFree(setting, wanted);
    return wanted;
  };
  return {
    postgres: await choose("postgres", given.postgresUrl !== undefined),
    kafka: await choose("kafka", given.kafkaBrokers !== undefined),
    registry: await choose("registry", given.registryUrl !== undefined),
    controller,
  };
}

function reporter(options: StackOptions) {
  return (part: StackProgress["part"]) => {
    const startedAt = performance.now();
    return (text: string, done: boolean) =>
      options.onProgress?.({ part, text, done, durationMs: Math.round(performance.now() - startedAt) });
  };
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
