import { describe, expect, it } from "vitest";
import { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import { createKafka, kafkajs } from "@perkstream/program";
import type { Product } from "../product.ts";
import { bootstrapOf, keysOf, noon, openShop, type Position } from "./shop.ts";

interface DeadLetter extends Position {
  program: string;
  reason: string;
  key: string | null;
  keyBase64: string | null;
  value: string | null;
  event: object | null;
}

const topic = "orders.v1";
const at = noon("2025-01-10");
const bytes = (hex: string) => Buffer.from(hex, "hex");

/** What a foreign producer finds, and what becomes of what it sends wrongly. */
export function describeDeadLetters(product: () => Product): void {
  it("a foreign producer finds subjects of all records and topics that take any time", async () => {
    const records = {
      "orders.v1-perkstream.orders": ["OrderPlaced", "OrderRefunded", "OrderCancelled"],
      "notifications.v1-perkstream.notifications": ["TierChanged", "CashbackEarned", "CashbackAvailable", "CashbackExpiring"],
    };
    for (const [prefix, names] of Object.entries(records)) {
      for (const name of names)
        expect((await fetch(`${product().schemaRegistry}/subjects/${prefix}.${name}/versions/latest`)).status).toBe(200);
    }
    const admin = createKafka({ brokers: [product().kafka], clientId: "interface" }).admin();
    await admin.connect();
    try {
      const resources = [topic, "notifications.v1"].map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name }));
      for (const { configEntries } of (await admin.describeConfigs({ includeSynonyms: false, resources })).resources) {
        expect(Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue]))).toMatchObject({
          "message.timestamp.type": "CreateTime",
          "message.timestamp.before.max.ms": "9223372036854775807",
          "message.timestamp.after.max.ms": "9223372036854775807",
          "retention.ms": "-1",
        });
      }
    } finally {
      await admin.disconnect();
    }
  });

  describe("a dead letter", () => {
    it("belongs to the merchant that its value names, else its key, else to none; both programs keep it", async () => {
      const { merchantApi, kafka, schemaRegistry } = product();
      const shop = await openShop(merchantApi);
      const registry = new SchemaRegistry({ host: schemaRegistry });
      const schemaId = await registry.getLatestSchemaId("orders.v1-perkstream.orders.OrderPlaced");
      const placed = (fields: object = {}) => {
        const lines = [{ sku: "a", category: null, quantity: 1, netMinor: 1_000 }];
        const order = { merchantId: shop.merchantId, customerId: "c1", orderId: "o1", occurredAt: Date.parse(at), currency: "USD", lines };
        return registry.encode(schemaId, { ...order, paidWithCashbackMinor: 0, ...fields });
      };
      const key = `${shop.merchantId}:c1`;
      const nobody = "00000000-0000-4000-8000-00000000abcd";
      const producer = createKafka({ brokers: [kafka], clientId: "interface" }).producer({
        createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      });
      await producer.connect();
      const send = async (message: { key: string | Buffer | null; value: Buffer | null; headers?: object; partition?: number }) => {
        const sent = { ...message, headers: { ...message.headers }, timestamp: String(Date.parse(at)) };
        const [answer] = await producer.send({ topic, messages: [sent] });
        return { partition: answer?.partition ?? -1, offset: Number(answer?.baseOffset) };
      };
      const headers = { text: Buffer.from("abc"), bytes: bytes("00ff") };
      const oddKey = await send({ key: bytes("fffe80"), value: await placed(), headers });
      const home = await send({ key, value: bytes("00ff") });
      const own = {
        oddKey,
        home,
        noKey: await send({ key: null, value: await placed(), partition: 0 }),
        nothing: await send({ key, value: null }),
        trailing: await send({ key, value: Buffer.concat([await placed(), bytes("0000")]) }),
        misplaced: await send({ key, value: await placed(), partition: home.partition === 0 ? 1 : 0 }),
      };
      const unowned = await send({ key: bytes("ff01"), value: bytes("00ff") });
      const unknown = await send({ key: `${nobody}:c1`, value: await placed({ merchantId: nobody }) });
      await producer.disconnect();
      await shop.settle(...Object.values(own), unowned, unknown);

      const letters = await shop.list<DeadLetter>("/v1/dead-letters?limit=200");
      const ofNone = await bootstrapOf(merchantApi).list<DeadLetter>("/v1/dead-letters?merchant=none", at);
      const kept = (list: readonly DeadLetter[] | null, { partition, offset }: Position) =>
        (list ?? []).filter((letter) => letter.partition === partition && letter.offset === offset);
      const summary = (list: readonly DeadLetter[]) => list.map(({ program, reason }) => `${program} ${reason}`).toSorted();
      for (const [name, position] of Object.entries(own))
        expect({ name, letters: summary(kept(letters, position)) }).toEqual({
          name,
          letters: ["cashback invalid_event", "tier invalid_event"],
        });
      expect(summary(kept(ofNone, unowned))).toEqual(["cashback invalid_event", "tier invalid_event"]);
      expect(summary(kept(ofNone, unknown))).toEqual(["cashback unknown_merchant", "tier unknown_merchant"]);
      expect([...kept(letters, unowned), ...kept(letters, unknown), ...kept(ofNone, home)]).toEqual([]);

      const [odd] = kept(letters, oddKey);
      expect(odd).toMatchObject({ key: null, keyBase64: bytes("fffe80").toString("base64"), topic, redrivenAt: null });
      expect(odd).toMatchObject({ headers: { text: "YWJj", bytes: "AP8=" }, event: { type: "OrderPlaced", customerId: "c1" } });
      const [raw] = kept(letters, home);
      expect(raw).toMatchObject({ key, value: "AP8=", event: null });
      expect(keysOf(raw)).toEqual(
        ["id", "program", "reason", "message", "topic", "partition", "offset", "timestamp", "key", "value", "headers"]
          .concat("event", "createdAt", "redrivenAt")
          .toSorted(),
      );
      const ofTier = await shop.list<DeadLetter>("/v1/dead-letters?program=tier&reason=invalid_event");
      expect(ofTier).toHaveLength(Object.keys(own).length);
      expect(await shop.list("/v1/dead-letters?reason=order_conflict")).toEqual([]);
    });
  });
}
