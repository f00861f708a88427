import { once } from "node:events";
import { createRequire } from "node:module";
import { type AddressInfo, connect as connectTo, createServer, type Socket } from "node:net";
import fc from "fast-check";
import type { KafkaMessage } from "kafkajs";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { crc32c, decodeRecords, encodeRecords } from "./kafka-records.ts";
import { groupMessagesPerPartition, kafkajs } from "./kafkajs.ts";
import { toRecord } from "./record.ts";

const require = createRequire(import.meta.url);

afterEach(() => void vi.useRealTimers());

describe("repairs of kafkajs 2.2.4", () => {
  it("are made for the version that is installed", () => {
    expect(kafkajs.Kafka).toBeTypeOf("function");
    expect((require("kafkajs/package.json") as { version: string }).version).toBe("2.2.4");
  });

  it("lets a new consumer go on as the member that the last one was", () => {
    const ConsumerGroup = require("kafkajs/src/consumer/consumerGroup") as new (options: object) => { memberId: string | null };
    const logger = { namespace: () => logger };
    expect(new ConsumerGroup({ logger, retry: { memberId: "last" } }).memberId).toBe("last");
    expect(new ConsumerGroup({ logger, retry: {} }).memberId).toBeNull();
  });

  describe("of its connection", () => {
    interface ConnectionInternals {
      readonly bytesBuffered: number;
      readonly bytesNeeded: number;
      readonly chunks: readonly Buffer[];
      isConnected(): boolean;
      connect(): Promise<true>;
      disconnect(): Promise<true>;
      send(request: object): Promise<unknown>;
    }
    const Connection = require("kafkajs/src/network/connection") as new (options: object) => ConnectionInternals;

    /** A connection to a server that says nothing by itself, and the server's ends of it. */
    async function openConnection() {
      const sockets: Socket[] = [];
      const server = createServer((socket) => void sockets.push(socket.on("error", () => {}))).listen(0, "127.0.0.1");
      onTestFinished(() => void server.close());
      await once(server, "listening");
      const logger = { namespace: () => logger, debug() {}, error() {} };
      const connection = new Connection({
        host: "127.0.0.1",
        port: (server.address() as AddressInfo).port,
        logger,
        socketFactory: ({ host, port, onConnect }: { host: string; port: number; onConnect: () => void }) =>
          connectTo({ host, port }, onConnect),
        connectionTimeout: 20_000,
        requestTimeout: 200,
      });
      await connection.connect();
      await vi.waitFor(() => expect(sockets).toHaveLength(1), { timeout: 20_000 });
      return { connection, sockets };
    }

    it("begins without what the last one had of an answer", async () => {
      const { connection, sockets } = await openConnection();
      sockets[0]!.write(Buffer.from([0, 0, 0, 100, 0, 0, 0, 1, 9, 9]));
      await vi.waitFor(() => expect(connection.bytesBuffered).toBeGreaterThan(0), { timeout: 20_000 });
      sockets[0]!.resetAndDestroy();
      await vi.waitFor(() => expect(connection.isConnected()).toBe(false), { timeout: 20_000 });
      await connection.connect();
      expect([connection.chunks, connection.bytesBuffered, connection.bytesNeeded]).toEqual([[], 0, 4]);
      await connection.disconnect();
    });

    it("is given up when a request has no answer in time, and can be made anew", async () => {
      const { connection, sockets } = await openConnection();
      const { protocol } = require("kafkajs/src/protocol/requests/apiVersions") as { protocol(of: object): () => object };
      await expect(connection.send(protocol({ version: 0 })())).rejects.toThrow("timed out");
      await vi.waitFor(() => expect(connection.isConnected()).toBe(false), { timeout: 20_000 });
      await connection.connect();
      await vi.waitFor(() => expect(sockets).toHaveLength(2), { timeout: 20_000 });
      await connection.disconnect();
    });
  });

  it("re-arms no timer while nothing is pending", () => {
    const RequestQueue = require("kafkajs/src/network/requestQueue") as new (options: object) => {
      pending: unknown[];
      throttleCheckTimeoutId: unknown;
      scheduleCheckPendingRequests(): void;
      destroy(): void;
    };
    const queue = new RequestQueue({
      maxInFlightRequests: 1,
      requestTimeout: 1_000,
      enforceRequestTimeout: false,
      clientId: "t",
      broker: "b",
      logger: { debug() {} },
    });
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).toBeNull();
    queue.pending.push({});
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).not.toBeNull();
    queue.destroy();
  });

  it("sends a heartbeat after a step back of the system's clock", async () => {
    const ConsumerGroup = require("kafkajs/src/consumer/consumerGroup") as new (options: object) => {
      coordinator: { heartbeat(payload: object): Promise<void> };
      heartbeat(options: { interval: number }): Promise<void>;
    };
    const logger = { namespace: () => logger };
    const group = new ConsumerGroup({ logger, retry: { memberId: "m" }, instrumentationEmitter: { emit() {} } });
    let beats = 0;
    group.coordinator = { heartbeat: async () => void (beats += 1) };
    await group.heartbeat({ interval: 60_000 });
    expect(beats).toBe(0);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 3_600_000 });
    await group.heartbeat({ interval: 60_000 });
    expect(beats).toBe(1);
    await group.heartbeat({ interval: 60_000 });
    expect(beats).toBe(1);
  });

  it("times a request out after a step back of the system's clock", async () => {
    const RequestQueue = require("kafkajs/src/network/requestQueue") as new (options: object) => {
      push(request: object): void;
      scheduleRequestTimeoutCheck(): void;
      destroy(): void;
    };
    const logger = { debug() {} };
    const options = { maxInFlightRequests: 1, requestTimeout: 30, enforceRequestTimeout: true, clientId: "t", broker: "b", logger };
    const queue = new RequestQueue({ ...options, isConnected: () => true });
    queue.scheduleRequestTimeoutCheck();
    const answer = new Promise((resolve, reject) => {
      const entry = { correlationId: 1, apiName: "Fetch", apiKey: 1, apiVersion: 1, resolve, reject };
      queue.push({ entry, expectResponse: true, sendRequest() {} });
    });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 3_600_000 });
    await expect(answer).rejects.toThrow(/timed out/);
    queue.destroy();
  });

  it("groups messages in time that grows with their number, not with its square", () => {
    const messages = Array.from({ length: 20_000 }, (_, i) => ({ partition: i % 3 }));
    const args = {
      topic: "t",
      partitionMetadata: [{}],
      messages,
      partitioner: ({ message }: { message: { partition?: number } }) => message.partition ?? 0,
    };
    const groups = groupMessagesPerPartition(args);
    const times = Array.from({ length: 5 }, () => {
      const began = performance.now();
      groupMessagesPerPartition(args);
      return performance.now() - began;
    });
    expect(Math.min(...times)).toBeLessThan(200);
    expect(Object.values(groups).map((group) => group.length)).toEqual([6_667, 6_667, 6_666]);
    expect(require("kafkajs/src/producer/groupMessagesPerPartition")).toBe(groupMessagesPerPartition);
  });

  it("encodes batches to the bytes of the original", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 20 }), fc.bigInt({ min: -1n, max: 2n ** 40n }), async (records, producerId) => {
        const options = {
          firstTimestamp: 1_700_000_000_000,
          maxTimestamp: 1_800_000_000_000,
          lastOffsetDelta: records.length - 1,
          producerId: { value: producerId },
          producerEpoch: 3,
          firstSequence: 17,
        };
        const expected = await original.batch({ ...options, producerId: String(producerId), records: records.map(original.record) });
        expect((await mended.batch({ ...options, records: records.map(mended.record) })).buffer).toEqual(expected.buffer);
      }),
    );
  });

  it("decodes batches as the original does, also compressed and cut ones", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 20 }), fc.constantFrom(0, 1), async (records, compression) => {
        const options = { compression, firstTimestamp: 1_700_000_000_000, maxTimestamp: 1_800_000_000_000, lastOffsetDelta: 9 };
        const { buffer } = await mended.batch({ ...options, records });
        const two = Buffer.concat([buffer, buffer.subarray(0, buffer.length - 1)]);
        const [expected, found] = [new Decoder(two), new Decoder(two)];
        expect(await mended.decode(found)).toEqual(await original.decode(expected));
        expect(found.offset).toBe(expected.offset);
        await expect(mended.decode(found)).rejects.toMatchObject({ name: "KafkaJSPartialMessageError" });
      }),
    );
  });

  it("keeps a header whose name is special, and one without a value", () => {
    const given = { ["__proto__"]: "1", toString: "2", empty: "" };
    const records = decodeRecords(encodeRecords([{ headers: given }]), 1, ({ headers }) => headers);
    expect(Object.entries(records[0]!)).toEqual([
      ["__proto__", Buffer.from("1")],
      ["toString", Buffer.from("2")],
      ["empty", Buffer.from("")],
    ]);
    const message = {
      key: null,
      value: null,
      timestamp: "1",
      attributes: 0,
      offset: "0",
      headers: { none: null },
    } as unknown as KafkaMessage;
    expect(toRecord(0, 0, message).headers["none"]).toEqual(Buffer.alloc(0));
  });

  it("refuses records that go beyond their batch", () => {
    const encoded = encodeRecords([{ key: "a", value: "b" }]);
    expect(() => decodeRecords(encoded, 2, () => null)).toThrow(RangeError);
    expect(() => decodeRecords(encoded.subarray(0, encoded.length - 1), 1, () => null)).toThrow(RangeError);
  });

  it("has the checksums of RFC 3720", () => {
    expect(crc32c(Buffer.alloc(32)).toString(16)).toBe("8a9136aa");
    expect(crc32c(Buffer.from("123456789")).toString(16)).toBe("e3069283");
  });
});

interface Batches {
  record(fields: object): object;
  batch(options: object): Promise<{ buffer: Buffer }>;
  decode(decoder: { offset: number }): Promise<unknown>;
}

const Decoder = require("kafkajs/src/protocol/decoder") as new (buffer: Buffer) => { offset: number };
const files = ["record/v0/index", "v0/index", "v0/decoder"].map((name) => require.resolve(`kafkajs/src/protocol/recordBatch/${name}`));

/** What these modules export: as mended, or as kafkajs has them, loaded once more past the cache. */
function batchesOf(load: (file: string) => unknown): Batches {
  const [record, index, decode] = files.map(load);
  return {
    record: record as Batches["record"],
    batch: (index as { RecordBatch: Batches["batch"] }).RecordBatch,
    decode: decode as Batches["decode"],
  };
}

const mended = batchesOf((file) => require(file));
const original = batchesOf((file) => {
  const cached = require.cache[file];
  delete require.cache[file];
  const loaded: unknown = require(file);
  require.cache[file] = cached;
  return loaded;
});

/** The original takes what every object inherits (`toString`) for a header that it has met before. */
const headerName = fc.string({ minLength: 1, maxLength: 10 }).filter((name) => !(name in {}));
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
  fc.string(),
);
const record = fc.record({
  offsetDelta: fc.integer({ min: 0, max: 100_000 }),
  timestampDelta: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(headerName, fc.oneof(bytes, fc.array(bytes, { minLength: 2, maxLength: 3 })), {
    maxKeys: 4,
    noNullPrototype: true,
  }),
});
