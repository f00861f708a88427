/** A process of its own that runs the probe program: `node probe-process.ts <json>`; ends itself by SIGKILL at a step. */
import { openSql } from "@perkstream/postgres";
import { Registry } from "@perkstream/service";
import { startProgram } from "../host.ts";
import { createKafka } from "../kafkajs.ts";
import { probeProgram } from "./probe.ts";

const { url, brokers, topic, noticeTopic, crashAt, crashAfter } = JSON.parse(process.argv[2] ?? "{}") as {
  url: string;
  brokers: string;
  topic: string;
  noticeTopic: string;
  crashAt: string;
  crashAfter: number;
};

let reached = 0;
startProgram({
  program: probeProgram(topic),
  sql: openSql(url, { max: 6, applicationName: "probe-process", role: "perkstream_probe" }),
  kafka: createKafka({ brokers: brokers.split(","), clientId: "probe-process" }),
  noticeTopic,
  log: { debug() {}, info() {}, warn() {}, error() {} },
  metrics: new Registry(),
  settings: { sessionTimeoutMs: 6_000, chunkSize: 50 },
  crash: (step) => {
    if (step === crashAt && ++reached > crashAfter) process.kill(process.pid, "SIGKILL");
  },
});
