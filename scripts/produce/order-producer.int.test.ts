import { randomBytes } from "node:crypto";
import { fixedRegistry, openOrderDecoder, openOrderEncoder } from "@perkstream/contracts";
import { createKafka } from "@perkstream/program";
import { ensureTopics } from "@perkstream/stack";
import type { KafkaMessage } from "kafkajs";
import { describe, expect, inject, it } from "vitest";
import { RetailImport } from "../import/retail-events.ts";
import { sendEvents } from "../import/send.ts";
import { orderStream } from "../simulate/order-stream.ts";
import { runSimulation } from "../simulate/run.ts";
import { openOrderProducer, type Position } from "./order-producer.ts";

const { kafkaBrokers } = inject("stack");
const kafka = createKafka({ brokers: kafkaBrokers.split(","), clientId: "producer-test" });
const merchantId = "4f981b0b-accf-4eb7-8018-7cd651c7e907";

/** A topic that no other test has, with timestamps as in production. */
async function ownTopic(): Promise<string> {
  const name = `t${randomBytes(6).toString("hex")}.v1`;
  await ensureTopics(kafkaBrokers, { partitions: 4, development: true, topics: { orders: name, notifications: `${name}.notes` } });
  return name;
}

/** Everything of a topic up to the given positions, by partition. */
async function readAll(topic: string, positions: readonly Position[]): Promise<Map<number, KafkaMessage[]>> {
  const consumer = kafka.consumer({ groupId: `${topic}-reader` });
  const records = new Map<number, KafkaMessage[]>();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  try {
    await new Promise<void>((resolve, reject) => {
      const open = new Map(positions.map(({ partition, offset }) => [partition, offset]));
      const eachMessage = async ({ partition, message }: { partition: number; message: KafkaMessage }) => {
        records.set(partition, [...(records.get(partition) ?? []), message]);
        if (Number(message.offset) >= (open.get(partition) ?? Infinity)) open.delete(partition);
        if (open.size === 0) resolve();
      };
      consumer.run({ eachMessage }).catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return records;
}

describe("import", () => {
  it("sends each event once, in order, at its own time, and tells where the last ones lie", async () => {
    const topic = await ownTopic();
    const retail = new RetailImport(merchantId);
    for (let i = 0; i < 300; i += 1) {
      const invoiceDate = `2011-03-${String(1 + Math.floor(i / 20)).padStart(2, "0")} 12:${String(i % 60).padStart(2, "0")}:00`;
      retail.add({ invoiceNo: String(5000 + i), stockCode: "A", quantity: "2", invoiceDate, unitPrice: "1.25", customerId: `${i % 17}.0` });
    }
    const { events } = retail.events();
    const registry = fixedRegistry();
    const producer = await openOrderProducer(kafka, topic);
    await sendEvents(events, {
      encoder: await openOrderEncoder(registry),
      producer,
      shiftMs: 1_000,
      speed: Infinity,
      onProgress: () => {},
    });
    const positions = producer.positions();
    await producer.close();

    const sent = events.map((event) => Object.assign({}, event, { occurredAt: event.occurredAt + 1_000 }));
    const records = await readAll(topic, positions);
    const decoder = openOrderDecoder(registry);
    expect([...records.values()].flat()).toHaveLength(300);
    for (const { partition, offset } of positions) expect(Number(records.get(partition)?.at(-1)?.offset)).toBe(offset);
    for (const messages of records.values()) {
      await decoder.prepare(messages.map(({ value }) => value));
      const read = messages.map(({ key, value, timestamp }) => {
        const decoded = decoder.decode(value);
        if (!decoded.ok) throw new Error(decoded.message);
        expect(String(key)).toBe(`${merchantId}:${decoded.event.customerId}`);
        expect(Number(timestamp)).toBe(decoded.event.occurredAt);
        return decoded.event;
      });
      const keys = new Set(read.map(({ customerId }) => customerId));
      expect(read).toEqual(sent.filter(({ customerId }) => keys.has(customerId)));
    }
  });

  it("chooses partitions as Kafka's Java client does", async () => {
    // Murmur2 of these keys modulo 4, computed by org.apache.kafka.common.utils.Utils.
    const topic = await ownTopic();
    const producer = await openOrderProducer(kafka, topic);
    const expected = {
      a: 0,
      abc: 3,
      [`${merchantId}:17850`]: 1,
      [`${merchantId}:customer-1`]: 0,
      [`${merchantId}:customer-2`]: 1,
      [`${merchantId}:customer-3`]: 2,
    };
    for (const key of Object.keys(expected)) await producer.send([{ key, value: Buffer.alloc(1), timestamp: Date.now() }]);
    const positions = producer.positions();
    await producer.close();
    const records = await readAll(topic, positions);
    const partitions = Object.fromEntries(
      [...records].flatMap(([partition, messages]) => messages.map(({ key }) => [String(key), partition])),
    );
    expect(partitions).toEqual(expected);
  });
});

describe("simulate", () => {
  it("keeps its rate, counts what was acknowledged, and stops when told", async () => {
    const topic = await ownTopic();
    const encoder = await openOrderEncoder(fixedRegistry());
    const producer = await openOrderProducer(kafka, topic);
    const merchants = [{ merchantId, currency: "USD" }];
    const run = { encoder, producer, rate: 500, onProgress: () => {} };
    const options = { seed: 3, customers: 50, merchants, refunds: 0.1, duplicates: 0.02, late: 0.02, broken: 0.02 };
    const whole = await runSimulation({ ...run, stream: orderStream(options), seconds: 1, signal: new AbortController().signal });
    expect(whole).toMatchObject({ sent: 500, acked: 500 });
    expect(Object.values(whole.kinds).reduce((sum, count) => sum + count)).toBe(500);
    expect(whole.positions.reduce((sum, { offset }) => sum + offset + 1, 0)).toBe(500);
    expect(whole.durationMs).toBeGreaterThan(900);

    const cut = await runSimulation({ ...run, stream: orderStream(options), seconds: 600, signal: AbortSignal.timeout(300) });
    await producer.close();
    expect(cut.sent).toBeLessThan(300_000);
    expect(cut.acked).toBe(cut.sent);
  });
});
