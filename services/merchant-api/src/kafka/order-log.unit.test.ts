import { expect, test } from "vitest";
import { createPartitioner } from "./order-log.ts";

// murmur2 of the key as in Kafka's Java client (org.apache.kafka.common.utils.Utils.murmur2), positive, modulo the partitions.
function murmur2(data: Buffer): number {
  const m = 0x5bd1e995;
  let h = 0x9747b28c ^ data.length;
  const words = data.length >> 2;
  for (let i = 0; i < words; i++) {
    let k = Math.imul(data.readInt32LE(i * 4), m);
    k = Math.imul(k ^ (k >>> 24), m);
    h = Math.imul(h, m) ^ k;
  }
  const rest = data.length & 3;
  const at = words << 2;
  if (rest === 3) h ^= data[at + 2]! << 16;
  if (rest >= 2) h ^= data[at + 1]! << 8;
  if (rest >= 1) h = Math.imul(h ^ data[at]!, m);
  h = Math.imul(h ^ (h >>> 13), m);
  return h ^ (h >>> 15);
}

test("a customer's partition is the Java client's, also for ids beyond ASCII", () => {
  const partitionOf = createPartitioner(12);
  for (let i = 0; i < 500; i++) {
    const merchantId = "4f981b0b-accf-4eb7-8018-7cd651c7e907";
    const customerId = `${i % 3 === 0 ? "kundin-ü-" : "c"}${i}`;
    expect(partitionOf(merchantId, customerId)).toBe((murmur2(Buffer.from(`${merchantId}:${customerId}`)) & 0x7fffffff) % 12);
  }
});
