/** A process of its own that runs the probe program: `node probe-process.ts <json>`; ends itself by SIGKILL at a step. */
import { openSql } from "@perkstream/postgres";
import { Registry } from "@perkstream/service";
import { crashPoint } from "../crash.ts";
import { startProgram } from "../host.ts";
import { createKafka } from "../kafkajs.ts";
import { probeProgram } from "./probe.ts";

export interface ProbeProcessOptions {
  readonly url: string;
  readonly brokers: string;
  readonly topic: string;
  readonly groupId: string;
  readonly noticeTopic: string;
  readonly deadLetterTopic: string;
  /** As in PERKS_CRASH_AT. */
  readonly crashAt: string;
  readonly sweeps: number;
}

const { url, brokers, topic, groupId, noticeTopic, deadLetterTopic, crashAt, sweeps } = JSON.parse(
  process.argv[2] ?? "{}",
) as ProbeProcessOptions;

const crash = crashPoint.parse(crashAt);
startProgram({
  program: { ...probeProgram(topic, { sweeps }), groupId },
  sql: openSql(url, { max: 6, applicationName: "probe-process", role: "perkstream_probe", onStatement: () => crash("statement") }),
  kafka: createKafka({ brokers: brokers.split(","), clientId: "probe-process" }),
  noticeTopic,
  deadLetterTopic,
  log: { debug() {}, info() {}, warn() {}, error() {} },
  metrics: new Registry(),
  settings: { sessionTimeoutMs: 6_000, chunkSize: 20, maxBuffered: 40, sweepIntervalMs: 50 },
  crash,
});
