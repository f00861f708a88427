import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { StackError } from "../errors.ts";
import { loadKafkajs } from "../kafkajs.ts";
import { loopback } from "../ports.ts";
import { Child } from "../process/child.ts";
import type { EmbeddedContext } from "./context.ts";

const run = promisify(execFile);
const readyLimitMs = 180_000;
/** For a server that did not become ready in time. */
const failedStopMs = 10_000;
const log4j = fileURLToPath(new URL("../../maven/log4j2.properties", import.meta.url));

/** Ports of the node; `advertised` is where clients are told to connect, which is not `port` behind a proxy. */
interface KafkaPorts {
  readonly port: number;
  readonly advertised: number;
  readonly controller: number;
}

/** Starts one KRaft node (broker and controller) on 127.0.0.1. Throws StackError. */
export async function startKafka(context: EmbeddedContext, java: string, jars: string, ports: KafkaPorts): Promise<Child> {
  const folder = join(context.dataDir, "kafka");
  await mkdir(folder, { recursive: true });
  const properties = join(folder, "server.properties");
  await writeFile(properties, serverProperties(join(folder, "data"), ports));
  const classPath = join(jars, "*");
  await format(folder, java, classPath, properties, context.env);
  const child = await Child.start({
    name: "Kafka",
    command: java,
    // Without the optimising compiler: for a broker of minutes or hours it costs twice what the broker's own work does.
    args: [
      "-Xms256m",
      "-Xmx512m",
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      `-Dlog4j2.configurationFile=${log4j}`,
      "-cp",
      classPath,
      "kafka.Kafka",
      properties,
    ],
    cwd: folder,
    env: context.env,
    logFile: join(context.logDir, "kafka.log"),
    pidFile: join(context.runDir, "kafka.pid"),
    stopSignal: "TERM",
    guard: context.guard,
    onCrash: context.onCrash,
  });
  await child
    .ready(() => isBrokerReady(`${loopback}:${ports.port}`), readyLimitMs)
    .catch(async (error: unknown) => {
      await child.stop(failedStopMs);
      throw error;
    });
  return child;
}

/**
 * Whether the broker answers and coordinates groups. Asking for a group makes the topic of offsets and waits for it to be loaded:
 * kafkajs crashes a consumer that meets GROUP_LOAD_IN_PROGRESS, which the first group on a fresh broker would.
 */
export async function isBrokerReady(brokers: string): Promise<boolean> {
  const { Kafka, logLevel } = await loadKafkajs();
  const kafka = new Kafka({
    clientId: "perkstream-stack",
    brokers: brokers.split(","),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { brokers: known } = await admin.describeCluster();
    if (known.length === 0) return false;
    await admin.describeGroups(["perkstream.ready"]);
    return true;
  } finally {
    await admin.disconnect();
  }
}

async function format(folder: string, java: string, classPath: string, properties: string, env: NodeJS.ProcessEnv): Promise<void> {
  const marker = join(folder, "data", "bootstrap.checkpoint");
  if (await exists(marker)) return;
  // A leading minus sign would be read as an option.
  const clusterId = randomBytes(16).toString("base64url").replace(/^-/, "A");
  const args = [
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    `-Dlog4j2.configurationFile=${log4j}`,
    "-cp",
    classPath,
    "kafka.tools.StorageTool",
  ];
  try {
    // --ignore-formatted: an earlier format may have been cut off between its two files.
    await run(java, [...args, "format", "--ignore-formatted", "--cluster-id", clusterId, "--config", properties], { env });
  } catch (cause) {
    const text =
      typeof cause === "object" && cause !== null && "stderr" in cause ? String(cause.stderr).trim().split("\n").at(-1) : String(cause);
    throw new StackError("child_crashed", `Kafka's data folder could not be made in ${folder}: ${text ?? "no reason given"}.`, { cause });
  }
}

function serverProperties(dataFolder: string, { port, advertised, controller }: KafkaPorts): string {
  const values = {
    "process.roles": "broker,controller",
    "node.id": 1,
    // The voters stand in the configuration and not in the log, so that the data can be started again on other ports.
    "controller.quorum.voters": `1@${loopback}:${controller}`,
    listeners: `PLAINTEXT://${loopback}:${port},CONTROLLER://${loopback}:${controller}`,
    "advertised.listeners": `PLAINTEXT://${loopback}:${advertised}`,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": dataFolder,
    "auto.create.topics.enable": false,
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    // After a kill -9 the controller lets the broker in again only when its old session is over (9 s by default).
    "broker.session.timeout.ms": 4_000,
    "broker.heartbeat.interval.ms": 1_000,
    // Tests of lost owners want a group to notice within a second or two.
    "group.min.session.timeout.ms": 1_000,
    "num.network.threads": 2,
    "num.io.threads": 4,
    // The default buffer of 128 MB is taken from the heap at start; one small compacted topic does not need it.
    "log.cleaner.dedupe.buffer.size": 16 * 1_024 * 1_024,
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${String(value).replaceAll("\\", "\\\\")}\n`)
    .join("");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
