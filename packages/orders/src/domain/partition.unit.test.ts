import { kafkajs } from "@perkstream/program";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyHash, partitionOfKey } from "./partition.ts";

describe("the partition of a key", () => {
  // From UtilsTest of Kafka's Java client, made positive.
  it.each([
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
  ])("%s", (key, hash) => {
    expect(keyHash(Buffer.from(key))).toBe(hash & 0x7fffffff);
  });

  it("is that of kafkajs for any key", () => {
    const choose = kafkajs.Partitioners.DefaultPartitioner();
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 120 }).map((key) => Buffer.from(key));
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 200 }), (key, partitions) => {
        const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => {
          return { partitionErrorCode: 0, partitionId, leader: 0, replicas: [], isr: [] };
        });
        expect(partitionOfKey(key, partitions)).toBe(choose({ topic: "t", partitionMetadata, message: { key, value: null } }));
      }),
    );
  });
});
