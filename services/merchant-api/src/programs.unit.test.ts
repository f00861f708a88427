import { createCashbackProgram } from "@perkstream/cashback";
import { fixedRegistry, openNotificationEncoder, openOrderDecoder, openOrderEncoder } from "@perkstream/contracts";
import { openSql } from "@perkstream/postgres";
import { createLevels, createTierProgram } from "@perkstream/tier";
import { expect, test } from "vitest";
import { createPartitioner } from "./kafka/order-log.ts";

const merchantId = "4f981b0b-accf-4eb7-8018-7cd651c7e907";
const partitions = 12;
const registry = fixedRegistry();
const decoder = openOrderDecoder(registry);
const encoder = await openNotificationEncoder(registry);
const orders = await openOrderEncoder(registry);
const parts = { decoder, encoder, tier: createLevels(), sql: openSql("postgres://nowhere.invalid/x", { max: 1, applicationName: "test" }) };

async function decodeBoth(partition: number, given: { partitions?: number }) {
  const value = orders.encode({ type: "OrderCancelled", merchantId, customerId: "c1", orderId: "o", occurredAt: 1, reason: null });
  const record = { partition, offset: 0, timestamp: 1, key: Buffer.from(`${merchantId}:c1`), value, headers: {} };
  const programs = [createTierProgram({ ...parts, ...given }), createCashbackProgram({ ...parts, ...given })];
  return Promise.all(programs.map(async (program) => (await program.prepare?.([record]), program.decode(record))));
}

test("both programs make the same dead letter of a record in another partition than its key's", async () => {
  const own = createPartitioner(partitions)(merchantId, "c1");
  const other = (own + 1) % partitions;
  const message = `the record is in partition ${other}, its key belongs in partition ${own}`;
  const letter = { rejected: { reason: "invalid_event", message }, scope: merchantId };
  expect(await decodeBoth(other, { partitions })).toEqual([letter, letter]);
  expect(await decodeBoth(own, { partitions })).toMatchObject([{ event: { orderId: "o" } }, { event: { orderId: "o" } }]);
  expect(await decodeBoth(other, {})).toMatchObject([{ event: { orderId: "o" } }, { event: { orderId: "o" } }]);
});
