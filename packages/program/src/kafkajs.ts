import { createRequire } from "node:module";
import type { Socket } from "node:net";
import type { Kafka, KafkaConfig, LogEntry, RetryOptions } from "kafkajs";
import { decodeBatch, decodeRecords, encodeBatch, encodeRecords, endOfBatch, type RecordFields } from "./kafka-records.ts";

/**
 * The one place that loads kafkajs and mends what is known to be wrong in version 2.2.4.
 * Each repair has a test in kafkajs.unit.test.ts that fails without it.
 *
 *  - RequestQueue: re-arms a timer for ever although nothing is pending (910 wake-ups a second and connection); measures how long
 *    an answer has been awaited by the system's clock, so that after a step back nothing times out.
 *  - groupMessagesPerPartition: copies the partition's array for every message (quadratic).
 *  - Record batches: an encoder of 512 zeroed bytes for every record and every header, several big integers for every record
 *    that is read (kafka-records.ts).
 *  - Connection: what it had of an answer when it was lost is taken for the begin of the next connection's first one; one on which
 *    nothing is answered is kept, for as long as the system does not find out that it is dead (some 15 minutes).
 *  - ConsumerGroup: a consumer that is made anew cannot go on as the member that the last one was; after a step back of the
 *    system's clock there are no heartbeats until it has caught up, and the group goes on without the member.
 */
const require = createRequire(import.meta.url);

interface QueueInternals {
  pending: unknown[];
  readonly inflight: ReadonlyMap<number, RequestInternals>;
  readonly enforceRequestTimeout: boolean;
  readonly requestTimeout: number;
  requestTimeoutIntervalId: NodeJS.Timeout | null;
  isConnected(): boolean;
  destroy(): void;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
  /** A request had no answer in time. Not of kafkajs. */
  onSilence?: () => void;
}

interface RequestInternals {
  readonly requestTimeout: number;
  send(): void;
  timeoutRequest(): void;
}

/** Of kafkajs's Decoder, over the answer to a fetch. */
interface FetchDecoder {
  buffer: Buffer;
  offset: number;
}

/** Of kafkajs's Encoder. */
interface Encoder {
  buf: Buffer;
  offset: number;
}

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

interface Compression {
  lookupCodec(type: number): Codec | null;
  readonly COMPRESSION_CODEC_MASK: number;
}

/** What kafkajs makes a batch of; 64-bit numbers are its own big integers. */
interface BatchOptions {
  readonly compression?: number;
  readonly firstOffset?: { readonly value: bigint };
  readonly firstTimestamp: number | string;
  readonly maxTimestamp: number | string;
  readonly partitionLeaderEpoch?: number;
  readonly lastOffsetDelta?: number;
  readonly transactional?: boolean;
  readonly producerId?: { readonly value: bigint } | number | string;
  readonly producerEpoch?: number;
  readonly firstSequence?: number;
  readonly records?: readonly RecordFields[];
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

function bigintOf(value: { readonly value: bigint } | number | string): bigint {
  return typeof value === "object" ? value.value : BigInt(value);
}

function batchEncoder({ lookupCodec, COMPRESSION_CODEC_MASK }: Compression, EncoderClass: new (size: number) => Encoder) {
  return async ({ compression = 0, records = [], firstOffset, producerId = -1, ...given }: BatchOptions): Promise<Encoder> => {
    const codec = compression & COMPRESSION_CODEC_MASK;
    const encoded = encodeRecords(records);
    const body = codec === 0 ? encoded : await lookupCodec(compression)!.compress({ buffer: encoded });
    const fields = {
      codec,
      transactional: given.transactional ?? false,
      firstOffset: firstOffset?.value ?? 0n,
      partitionLeaderEpoch: given.partitionLeaderEpoch ?? 0,
      lastOffsetDelta: given.lastOffsetDelta ?? 0,
      firstTimestamp: Number(given.firstTimestamp),
      maxTimestamp: Number(given.maxTimestamp),
      producerId: bigintOf(producerId),
      producerEpoch: given.producerEpoch ?? 0,
      firstSequence: given.firstSequence ?? 0,
      count: records.length,
    };
    const encoder = new EncoderClass(0);
    encoder.buf = encodeBatch(fields, body);
    encoder.offset = encoder.buf.length;
    return encoder;
  };
}

/** Reads one batch and moves the decoder behind it. The answer to a fetch may end within a batch: kafkajs knows that by its error. */
function batchDecoder({ lookupCodec, COMPRESSION_CODEC_MASK }: Compression, PartialError: new (message: string) => Error) {
  return async (fetched: FetchDecoder) => {
    const { buffer, offset: at } = fetched;
    const end = endOfBatch(buffer, at);
    fetched.offset = end;
    if (end > buffer.length) throw new PartialError(`a batch of ${end - at} bytes is cut`);
    const { header, records: raw } = decodeBatch(buffer, at, end);
    const firstOffset = Number(header.firstOffset);
    const firstTimestamp = Number(header.firstTimestamp);
    const maxTimestamp = String(header.maxTimestamp);
    const context = {
      firstOffset: String(firstOffset),
      firstTimestamp: String(firstTimestamp),
      partitionLeaderEpoch: header.partitionLeaderEpoch,
      inTransaction: header.isTransactional,
      isControlBatch: header.isControl,
      lastOffsetDelta: header.lastOffsetDelta,
      producerId: String(header.producerId),
      producerEpoch: header.producerEpoch,
      firstSequence: header.firstSequence,
      maxTimestamp,
      timestampType: header.isTimeOfAppend ? 1 : 0,
    };
    const batchContext = { ...context, magicByte: header.magic };
    const codec = lookupCodec(header.attributes & COMPRESSION_CODEC_MASK);
    const body = codec === null ? raw : await codec.decompress(raw);
    const records = decodeRecords(body, header.count, ({ timestampDelta, offsetDelta, ...record }) => ({
      magicByte: header.magic,
      attributes: record.attributes,
      timestamp: header.isTimeOfAppend ? maxTimestamp : String(firstTimestamp + timestampDelta),
      offset: String(firstOffset + offsetDelta),
      key: record.key,
      value: record.value,
      headers: record.headers,
      isControlRecord: header.isControl,
      batchContext,
    }));
    return { ...context, records };
  };
}

interface ConnectionInternals {
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  readonly requestQueue: QueueInternals;
  readonly socket: Socket;
  isConnected(): boolean;
  connect(): Promise<true>;
}

const LENGTH_BYTES = 4;

function mendConnection(): void {
  const Connection = require("kafkajs/src/network/connection") as { prototype: ConnectionInternals };
  const { connect } = Connection.prototype;
  Connection.prototype.connect = function (this: ConnectionInternals) {
    if (!this.isConnected()) Object.assign(this, { chunks: [], bytesBuffered: 0, bytesNeeded: LENGTH_BYTES });
    this.requestQueue.onSilence = () => void this.socket.destroy(new Error("a request had no answer in time"));
    return connect.call(this);
  };
}

const REQUEST_CHECK_MS = 100;

function mendRequestQueue(): void {
  const RequestQueue = require("kafkajs/src/network/requestQueue") as { prototype: QueueInternals };
  const original = RequestQueue.prototype.scheduleCheckPendingRequests;
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: QueueInternals) {
    if (this.pending.length > 0) original.call(this);
  };
  const SocketRequest = require("kafkajs/src/network/requestQueue/socketRequest") as { prototype: RequestInternals };
  const { send } = SocketRequest.prototype;
  const sentAt = new WeakMap<RequestInternals, number>();
  SocketRequest.prototype.send = function (this: RequestInternals) {
    send.call(this);
    sentAt.set(this, performance.now());
  };
  RequestQueue.prototype.scheduleRequestTimeoutCheck = function (this: QueueInternals) {
    if (!this.enforceRequestTimeout) return;
    this.destroy();
    const check = () => {
      const now = performance.now();
      const late = [...this.inflight.values()].filter((request) => now - (sentAt.get(request) ?? now) > request.requestTimeout);
      for (const request of late) request.timeoutRequest();
      if (late.length > 0) this.onSilence?.();
      if (!this.isConnected()) this.destroy();
    };
    // After what has come in was read: a process that stood still must not take the broker for silent.
    this.requestTimeoutIntervalId = setInterval(() => setImmediate(check), Math.min(this.requestTimeout, REQUEST_CHECK_MS));
  };
}

/** Records stay as they are until their batch is encoded, all of them into one buffer. */
function replaceRecords(): void {
  const compression = require("kafkajs/src/protocol/message/compression") as Compression;
  const EncoderClass = require("kafkajs/src/protocol/encoder") as new (size: number) => Encoder;
  const { KafkaJSPartialMessageError } = require("kafkajs/src/errors") as { KafkaJSPartialMessageError: new (message: string) => Error };
  replaceModule("kafkajs/src/protocol/recordBatch/record/v0", (record: RecordFields) => record);
  replaceModule("kafkajs/src/protocol/recordBatch/v0", { RecordBatch: batchEncoder(compression, EncoderClass), MAGIC_BYTE: 2 });
  replaceModule("kafkajs/src/protocol/recordBatch/v0/decoder", batchDecoder(compression, KafkaJSPartialMessageError));
}

interface ConsumerGroupOptions {
  readonly retry?: RetryAsMember;
}

/** Options of a consumer's retries, and as which member of its group it goes on: kafkajs hands them on as they are. */
export type RetryAsMember = RetryOptions & { readonly memberId?: string };

type ConsumerGroupClass = new (options: ConsumerGroupOptions) => {
  memberId: string | null;
  lastRequest: number;
  heartbeat(options: { readonly interval: number }): Promise<void>;
};

/** A broker that does not know the member any more says so, and kafkajs then joins as a new one. */
function mendConsumerGroup(): void {
  const ConsumerGroup = require("kafkajs/src/consumer/consumerGroup") as ConsumerGroupClass;
  class MendedConsumerGroup extends ConsumerGroup {
    constructor(options: ConsumerGroupOptions) {
      super(options);
      this.memberId = options.retry?.memberId ?? null;
    }

    override heartbeat(options: { readonly interval: number }): Promise<void> {
      if (Date.now() < this.lastRequest) this.lastRequest = 0;
      return super.heartbeat(options);
    }
  }
  replaceModule("kafkajs/src/consumer/consumerGroup", MendedConsumerGroup);
}

function load(): typeof import("kafkajs") {
  if (require.cache[require.resolve("kafkajs")] !== undefined)
    throw new Error("kafkajs was loaded before its repairs: import @perkstream/program first");
  const version = (require("kafkajs/package.json") as { version: string }).version;
  if (version === "2.2.4") {
    replaceModule("kafkajs/src/producer/groupMessagesPerPartition", groupMessagesPerPartition);
    replaceRecords();
    mendConsumerGroup();
    mendRequestQueue();
    mendConnection();
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
