import { createRequire } from "node:module";
import type { Kafka, KafkaConfig, LogEntry } from "kafkajs";

/**
 * The one place that loads kafkajs and mends what is known to be wrong in version 2.2.4.
 * Each repair has a test in kafkajs.unit.test.ts that fails without it.
 *
 *  - RequestQueue: re-arms a timer for ever although nothing is pending (910 wake-ups a second and connection).
 *  - groupMessagesPerPartition: copies the partition's array for every message (quadratic).
 *  - Record encoder: allocates 512 zeroed bytes for every record and every header.
 */
const require = createRequire(import.meta.url);

interface QueueInternals {
  throttledUntil: number;
  throttleCheckTimeoutId: unknown;
  pending: unknown[];
  scheduleCheckPendingRequests(): void;
}

interface RecordEncoder {
  writeVarInt(value: number): RecordEncoder;
  writeInt8(value: number): RecordEncoder;
  writeVarLong(value: unknown): RecordEncoder;
  writeVarIntBytes(value: Buffer | string | null | undefined): RecordEncoder;
  writeVarIntString(value: string): RecordEncoder;
}

interface EncoderClass {
  new (initialSize?: number): RecordEncoder;
  sizeOfVarInt(value: number): number;
  sizeOfVarLong(value: unknown): number;
  sizeOfVarIntBytes(value: Buffer | string | null | undefined): number;
}

interface RecordFields {
  readonly offsetDelta?: number;
  readonly timestampDelta?: unknown;
  readonly key?: Buffer | string | null;
  readonly value?: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[]>>;
}

interface PartitionedMessage {
  readonly partition?: number;
}

type Partitioner = (args: { topic: string; partitionMetadata: readonly unknown[]; message: PartitionedMessage }) => number;

function replaceModule(path: string, exports: unknown): void {
  const file = require.resolve(path);
  require(file); // loads its own dependencies in the usual order
  const loaded = require.cache[file];
  if (loaded === undefined) throw new Error(`kafkajs changed: ${path} is not where version 2.2.4 has it`);
  loaded.exports = exports;
}

export function groupMessagesPerPartition(args: {
  topic: string;
  partitionMetadata: readonly unknown[];
  messages: readonly PartitionedMessage[];
  partitioner: Partitioner;
}): Record<number, PartitionedMessage[]> {
  const groups: Record<number, PartitionedMessage[]> = {};
  if (args.partitionMetadata.length === 0) return groups;
  for (const message of args.messages) {
    const partition = args.partitioner({ topic: args.topic, partitionMetadata: args.partitionMetadata, message });
    (groups[partition] ??= []).push(message);
  }
  return groups;
}

function recordEncoder(Encoder: EncoderClass): (record: RecordFields) => RecordEncoder {
  return ({ offsetDelta = 0, timestampDelta = 0, key, value, headers = {} }) => {
    const list: [string, Buffer | string][] = [];
    for (const name of Object.keys(headers)) {
      const given = headers[name]!;
      if (Array.isArray(given)) for (const one of given) list.push([name, one]);
      else list.push([name, given]);
    }
    let size = 1 + Encoder.sizeOfVarLong(timestampDelta) + Encoder.sizeOfVarInt(offsetDelta);
    size += Encoder.sizeOfVarIntBytes(key) + Encoder.sizeOfVarIntBytes(value) + Encoder.sizeOfVarInt(list.length);
    for (const [name, bytes] of list) size += Encoder.sizeOfVarIntBytes(name) + Encoder.sizeOfVarIntBytes(bytes);

    const encoder = new Encoder(size + 5)
      .writeVarInt(size)
      .writeInt8(0)
      .writeVarLong(timestampDelta)
      .writeVarInt(offsetDelta)
      .writeVarIntBytes(key)
      .writeVarIntBytes(value)
      .writeVarInt(list.length);
    for (const [name, bytes] of list) encoder.writeVarIntString(name).writeVarIntBytes(bytes);
    return encoder;
  };
}

function mendRequestQueue(): void {
  const RequestQueue = require("kafkajs/src/network/requestQueue") as { prototype: QueueInternals };
  const original = RequestQueue.prototype.scheduleCheckPendingRequests;
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: QueueInternals) {
    if (this.pending.length > 0) original.call(this);
  };
}

function load(): typeof import("kafkajs") {
  const version = (require("kafkajs/package.json") as { version: string }).version;
  if (version === "2.2.4") {
    replaceModule("kafkajs/src/producer/groupMessagesPerPartition", groupMessagesPerPartition);
    replaceModule("kafkajs/src/protocol/recordBatch/record/v0", recordEncoder(require("kafkajs/src/protocol/encoder") as EncoderClass));
    mendRequestQueue();
  }
  return require("kafkajs") as typeof import("kafkajs");
}

export const kafkajs: typeof import("kafkajs") = load();

export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl?: boolean;
  readonly sasl?: KafkaConfig["sasl"];
  readonly log?: KafkaLog;
}

/** A logger like pino's. */
export interface KafkaLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A Kafka client with bounded waits; its log goes to `log`, where kafkajs's ERROR is a warning (the host decides). */
export function createKafka(settings: KafkaSettings): Kafka {
  return new kafkajs.Kafka({
    clientId: settings.clientId,
    brokers: [...settings.brokers],
    ...(settings.ssl === undefined ? {} : { ssl: settings.ssl }),
    ...(settings.sasl === undefined ? {} : { sasl: settings.sasl }),
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 },
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => (entry) => settings.log && write(settings.log, entry),
  });
}

function write(log: KafkaLog, { level, log: { message, ...fields }, namespace }: LogEntry): void {
  const { timestamp: _timestamp, logger: _logger, ...rest } = fields as Record<string, unknown>;
  const line = `kafkajs ${namespace}: ${message}`;
  if (level <= kafkajs.logLevel.WARN) log.warn(rest, line);
  else log.debug(rest, line);
}
