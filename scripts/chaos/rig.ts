import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSql, type Sql } from "@perkstream/postgres";
import { freePorts, openGuard, type Servers, type ServerName, startServers, waitUntil } from "@perkstream/stack";
import { prepare } from "../start/prepare.ts";
import { serviceEnvironment } from "../start/run-services.ts";
import { services } from "../start/services.ts";
import { readSettings, type StartSettings } from "../start/settings.ts";
import { clockEnvironment, clockFile } from "./clock.ts";
import { type Disk, moveToOwnDisk } from "./disk.ts";
import { type InstanceSpec, seconds, servers, standing } from "./instances.ts";
import { processesOf } from "./processes.ts";
import { openProxy, type Proxy } from "./proxy/proxy.ts";
import type { Link } from "./schedule.ts";
import { serviceProcess } from "./service.ts";
import { Target } from "./target.ts";

/** Small chunks and frequent sweeps, so that faults fall between many transactions. */
const environment = { LOG_LEVEL: "info", PERKS_MODE: "development", PERKS_CHUNK_SIZE: "40", PERKS_SWEEP_INTERVAL_MS: "500" };
const partitions = 4;

/** The product on a stack of its own, with everything that faults need: proxies, and processes that can be hurt one by one. */
export interface Rig {
  readonly dataDir: string;
  readonly stack: Servers;
  /** Not through a proxy. */
  readonly sql: Sql;
  /** A process of the product, or a server. */
  target(name: string): Target;
  proxies(link: Link): readonly Proxy[];
  /** The proxy through which a process reaches PostgreSQL. */
  databaseProxy(instance: string): Proxy;
  /** The proxy through which everything reaches Kafka. */
  readonly kafkaProxy: Proxy;
  /** From now on, and after its next start, the system's clock of a process is ahead by so much. */
  setClock(target: Target, byMs: number): Promise<void>;
  /** PostgreSQL's file system; null where none could be made. */
  readonly disk: Disk | null;
  /** The port of a proxy to each notifier. */
  readonly pushPorts: readonly number[];
  readonly merchantApi: string;
  /** Processes of the product that ended without a fault that ends them. */
  readonly surprises: readonly string[];
  /** Stops everything, and tells what of it still runs. `keep` leaves the data folder. */
  close(keep: boolean): Promise<string[]>;
}

type Say = (line: string) => void;

/**
 * Starts the servers and prepares them; the product's own processes are started by their targets' `up`.
 * @param needsDisk whether PostgreSQL gets a file system of its own, where that is possible
 */
export async function openRig(needsDisk: boolean, say: Say): Promise<Rig> {
  const dataDir = await mkdtemp(join(tmpdir(), "perkstream-chaos-"));
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (keep: boolean) => {
    for (const step of closing.splice(0).toReversed()) await step();
    // A server's own children may outlive it by a moment.
    await waitUntil(() => processesOf(dataDir).length === 0, 10_000);
    const left = processesOf(dataDir).map(({ pid, command }) => `process ${pid} still runs: ${command}`);
    if (!keep) await rm(dataDir, { recursive: true, force: true });
    return left;
  };
  try {
    return { ...(await open(dataDir, needsDisk, say, closing)), close };
  } catch (error) {
    await close(false);
    throw error;
  }
}

async function open(dataDir: string, needsDisk: boolean, say: Say, closing: (() => Promise<unknown>)[]): Promise<Omit<Rig, "close">> {
  const instances = [...standing, ...seconds];
  const free = await freePorts(3 + services.length + instances.length);
  const port = () => free.pop() ?? 0;
  const ports = { postgres: port(), kafka: port(), registry: port() };
  const ownPorts = Object.fromEntries(services.map((service) => [service.port.variable, String(port())]));
  const env = { ...process.env, ...environment, ...ownPorts, PERKS_PARTITIONS: String(partitions), PERKS_DATA_DIR: dataDir };
  const settings = await readSettings(env, services);
  const targets = new Map<string, Target>();
  const kafka = await openProxy(ports.kafka, "kafka");
  closing.push(() => kafka.close());
  const stack = await startServers({
    dataDir,
    env,
    ports,
    kafkaAdvertisedPort: kafka.port,
    onProgress: ({ part, text, done }) => done && say(`${part}: ${text}`),
    onCrash: ({ message }) => targets.get(serverOf(message))?.ended(message),
  });
  for (const name of servers) targets.set(name, serverTarget(stack, name, say));
  const disk = needsDisk ? await ownDisk(stack, dataDir, say) : null;
  if (disk !== null) closing.push(() => disk.close());
  closing.push(() => stack.stop());
  for (const name of servers) await targets.get(name)?.up();
  await prepare(services, settings, stack, say);
  const sql = openSql(stack.postgresUrl, { max: 2, applicationName: "perkstream-chaos" });
  closing.push(() => sql.end({ timeout: 2 }));
  const surprises: string[] = [];
  const onSurprise = (message: string) => {
    say(`! ${message}`);
    surprises.push(message);
  };
  const product = await openProduct(
    { dataDir, stack, settings, instances, port, databasePort: ports.postgres, targets, onSurprise },
    closing,
  );
  const { database, push } = product;
  return {
    dataDir,
    stack,
    sql,
    target: (name) => targets.get(name) ?? fail(`there is no process ${name}`),
    disk,
    surprises,
    proxies: (link) => ({ postgres: [...database.values()], kafka: [kafka], push })[link],
    kafkaProxy: kafka,
    setClock: async (target, byMs) => {
      await writeFile(clockFile(dataDir, target.name), String(byMs));
      target.signal("SIGUSR2");
    },
    databaseProxy: (instance) => database.get(instance) ?? fail(`${instance} has no proxy`),
    pushPorts: push.map((proxy) => proxy.port),
    merchantApi: `http://127.0.0.1:${settings.ports.get("merchant-api")}`,
  };
}

interface Parts {
  readonly dataDir: string;
  readonly stack: Servers;
  readonly settings: StartSettings;
  readonly instances: readonly InstanceSpec[];
  readonly port: () => number;
  readonly databasePort: number;
  readonly targets: Map<string, Target>;
  readonly onSurprise: (message: string) => void;
}

/** A target for each process of the product, with a proxy of its own to PostgreSQL, and one in front of each notifier. */
async function openProduct(parts: Parts, closing: (() => Promise<unknown>)[]) {
  const { dataDir, stack, settings, instances, targets, onSurprise } = parts;
  const database = new Map<string, Proxy>();
  const push: Proxy[] = [];
  const guard = openGuard();
  closing.push(async () => guard.close());
  for (const spec of instances) {
    const { variable } = services.find(({ name }) => name === spec.service)?.port ?? fail(`there is no service ${spec.service}`);
    const port = spec.name === spec.service ? (settings.ports.get(spec.service) ?? 0) : parts.port();
    const proxy = await openProxy(parts.databasePort, "postgres");
    closing.push(() => proxy.close());
    database.set(spec.name, proxy);
    if (spec.service === "notifier") {
      const front = await openProxy(port, "any");
      closing.push(() => front.close());
      push.push(front);
    }
    const url = new URL(stack.postgresUrl);
    url.port = String(proxy.port);
    const env = {
      ...serviceEnvironment(services, settings, { ...stack, postgresUrl: url.href }),
      [variable]: String(port),
      ...clockEnvironment(dataDir, spec.name),
    };
    const onEnd = (message: string) => targets.get(spec.name)?.ended(message);
    const target = new Target(serviceProcess(spec, { root: settings.root, dataDir, env, port, guard, onEnd }), onSurprise);
    targets.set(spec.name, target);
    closing.push(() => target.stop());
  }
  return { database, push };
}

function serverTarget(stack: Servers, name: ServerName, say: Say): Target {
  const process = { name, pid: () => stack.pidOf(name), start: () => stack.startOne(name), stop: () => stack.stopOne(name) };
  return new Target(process, (message) => say(`! ${message}`));
}

/** By the first words of what the stack says of a server that ended. */
function serverOf(message: string): ServerName {
  if (message.startsWith("PostgreSQL")) return "postgres";
  return message.startsWith("Kafka") ? "kafka" : "registry";
}

async function ownDisk(stack: Servers, dataDir: string, say: Say): Promise<Disk | null> {
  // It has connections to PostgreSQL.
  await stack.stopOne("registry");
  await stack.stopOne("postgres");
  const disk = await moveToOwnDisk(join(dataDir, "postgres"));
  if (disk === null) say("not simulated here: a full disk (a small file system can only be mounted by root)");
  return disk;
}

function fail(message: string): never {
  throw new Error(message);
}
