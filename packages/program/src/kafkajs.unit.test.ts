import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { groupMessagesPerPartition, kafkajs } from "./kafkajs.ts";

const require = createRequire(import.meta.url);

describe("repairs of kafkajs 2.2.4", () => {
  it("are made for the version that is installed", () => {
    expect(kafkajs.Kafka).toBeTypeOf("function");
    expect((require("kafkajs/package.json") as { version: string }).version).toBe("2.2.4");
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

  it("groups messages in time that grows with their number, not with its square", () => {
    const messages = Array.from({ length: 20_000 }, (_, i) => ({ partition: i % 3 }));
    const args = {
      topic: "t",
      partitionMetadata: [{}],
      messages,
      partitioner: ({ message }: { message: { partition?: number } }) => message.partition ?? 0,
    };
    const began = performance.now();
    const groups = groupMessagesPerPartition(args);
    expect(performance.now() - began).toBeLessThan(200);
    expect(Object.values(groups).map((group) => group.length)).toEqual([6_667, 6_667, 6_666]);
    expect(require("kafkajs/src/producer/groupMessagesPerPartition")).toBe(groupMessagesPerPartition);
  });

  it("encodes records as the original does, in a buffer of their size", () => {
    const encode = require("kafkajs/src/protocol/recordBatch/record/v0") as (record: object) => { buf: Buffer; buffer: Buffer };
    const record = encode({
      offsetDelta: 3,
      timestampDelta: 5,
      key: Buffer.from("key"),
      value: Buffer.from("value"),
      headers: { a: "1", b: [Buffer.from("2"), "3"] },
    });
    // length 26, attributes 0, deltas 5 and 3 (zigzag), key, value, three headers (KIP-98, record format v2)
    expect(record.buffer.toString("hex")).toBe("34000a06066b65790a76616c756506026102310262023202620233");
    expect(record.buf.length).toBeLessThanOrEqual(64);
  });
});
