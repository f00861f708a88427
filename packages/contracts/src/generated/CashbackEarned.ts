// Made by `npm run schemas -- generate` from schemas/; do not edit.
import type { AvroReader } from "../avro/reader.ts";
import type { AvroWriter } from "../avro/writer.ts";
import type { RecordCodec } from "../codec.ts";

/** The customer earned cashback with an order. Topic notifications.v1, key merchantId:customerId. */
export interface CashbackEarned {
  readonly type: "CashbackEarned";
  /** UUIDv5 of what caused it; the same after a replay. */
  readonly id: string;
  readonly merchantId: string;
  readonly customerId: string;
  /** Event time of the cause. Milliseconds since 1970. */
  readonly occurredAt: number;
  /** The order that caused it, if one did. */
  readonly orderId: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** Names of the campaigns that paid. */
  readonly campaigns: readonly string[];
  /** When it can be spent; not after occurredAt when it can be spent at once. Milliseconds since 1970. */
  readonly availableAt: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | null;
  /** Available balance less debt, after the order. */
  readonly balanceMinor: bigint;
}

function readCampaigns(r: AvroReader): string[] {
  const items: string[] = [];
  for (let count = r.block("campaigns", 1); count > 0; count = r.block("campaigns", 1)) {
    for (; count > 0; count -= 1) items.push(r.string("campaigns"));
  }
  return items;
}

function readCashbackEarned(r: AvroReader): CashbackEarned {
  return {
    type: "CashbackEarned",
    id: r.string("id"),
    merchantId: r.string("merchantId"),
    customerId: r.string("customerId"),
    occurredAt: r.safeLong("occurredAt"),
    orderId: r.index("orderId", 2, "union") === 0 ? null : r.string("orderId"),
    amountMinor: r.long("amountMinor"),
    currency: r.string("currency"),
    campaigns: readCampaigns(r),
    availableAt: r.safeLong("availableAt"),
    expiresAt: r.index("expiresAt", 2, "union") === 0 ? null : r.safeLong("expiresAt"),
    balanceMinor: r.long("balanceMinor"),
  };
}

function writeCashbackEarned(w: AvroWriter, v: Omit<CashbackEarned, "type">): void {
  w.string("id", v.id);
  w.string("merchantId", v.merchantId);
  w.string("customerId", v.customerId);
  w.safeLong("occurredAt", v.occurredAt);
  if (v.orderId === null) {
    w.index("orderId", 0);
  } else {
    w.index("orderId", 1);
    w.string("orderId", v.orderId);
  }
  w.long("amountMinor", v.amountMinor);
  w.string("currency", v.currency);
  if (v.campaigns.length > 0) {
    w.index("campaigns", v.campaigns.length);
    for (const item of v.campaigns) {
      w.string("campaigns", item);
    }
  }
  w.index("campaigns", 0);
  w.safeLong("availableAt", v.availableAt);
  if (v.expiresAt === null) {
    w.index("expiresAt", 0);
  } else {
    w.index("expiresAt", 1);
    w.safeLong("expiresAt", v.expiresAt);
  }
  w.long("balanceMinor", v.balanceMinor);
}

const schema =
  '{"type":"record","name":"CashbackEarned","namespace":"perkstream.notifications","doc":"The customer earned cashback with an order. Topic notifications.v1, key merchantId:customerId.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of what caused it; the same after a replay."},{"name":"merchantId","type":"string"},{"name":"customerId","type":"string"},{"name":"occurredAt","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Event time of the cause."},{"name":"orderId","type":["null","string"],"default":null,"doc":"The order that caused it, if one did."},{"name":"amountMinor","type":"long"},{"name":"currency","type":"string"},{"name":"campaigns","type":{"type":"array","items":"string"},"doc":"Names of the campaigns that paid."},{"name":"availableAt","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"When it can be spent; not after occurredAt when it can be spent at once."},{"name":"expiresAt","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null},{"name":"balanceMinor","type":"long","doc":"Available balance less debt, after the order."}]}';

export const cashbackEarnedCodec: RecordCodec<CashbackEarned> = {
  type: "CashbackEarned",
  fullName: "perkstream.notifications.CashbackEarned",
  topic: "notifications.v1",
  subject: "notifications.v1-perkstream.notifications.CashbackEarned",
  schema,
  read: readCashbackEarned,
  write: writeCashbackEarned,
};
