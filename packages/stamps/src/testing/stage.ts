import { fixedRegistry, openNotificationEncoder, openOrderDecoder, openOrderEncoder, type OrderEvent } from "@perkstream/contracts";
import { createMerchant, type Merchant, migrations as merchantMigrations } from "@perkstream/merchant";
import { openSql } from "@perkstream/postgres";
import { testDatabase } from "@perkstream/postgres/testing";
import { createDriver, type DrivenRecord, withPartitions } from "@perkstream/program";
import { randomUUID } from "node:crypto";
import { type CardChange, putCard } from "../edit-cards.ts";
import { migrations } from "../migrations.ts";
import { createStampsProgram } from "../program.ts";

const registry = fixedRegistry();
const decoder = openOrderDecoder(registry);
const encoder = await openNotificationEncoder(registry);
const orderEncoder = await openOrderEncoder(registry);

/** A database of its own with the stamps program on it, in one partition, with the rights of its role. */
export async function openStage(adminUrl: string) {
  const database = await testDatabase(adminUrl, [merchantMigrations, migrations]);
  const sql = openSql(database.url, { max: 2, applicationName: "stamps-test" });
  const own = openSql(database.url, { max: 2, applicationName: "stamps-test", role: "perkstream_stamps" });
  const start = () => createDriver(createStampsProgram({ decoder, encoder }), own, 1);
  return {
    sql,
    start,
    async merchant(): Promise<Merchant> {
      const merchant = await createMerchant(
        sql,
        { merchantId: randomUUID(), name: "Shop", currency: "USD", timeZone: "UTC" },
        { actor: "test", at: 0 },
      );
      return merchant!;
    },
    putCard: (merchantId: string, card: Partial<CardChange> = {}) =>
      withPartitions(sql, { program: "stamps", topic: "orders.v1", partitions: [0] }, (held) =>
        putCard(held, merchantId, {
          id: "coffee",
          name: "Coffee",
          category: "coffee",
          size: 3,
          active: true,
          actor: "ann",
          atMs: 0,
          ...card,
        }),
      ),
    async close() {
      await Promise.all([sql.end({ timeout: 5 }), own.end({ timeout: 5 })]);
      await database.drop();
    },
  };
}

/** An event of a merchant as a record. */
export function recordOf(event: OrderEvent, merchantId: string): DrivenRecord {
  const own = { ...event, merchantId };
  return { timestamp: event.occurredAt, key: Buffer.from(`${merchantId}:${event.customerId}`), value: orderEncoder.encode(own) };
}
