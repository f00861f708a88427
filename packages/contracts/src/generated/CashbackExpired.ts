// Made by `npm run schemas -- generate` from schemas/; do not edit.
import type { AvroReader } from "../avro/reader.ts";
import type { AvroWriter } from "../avro/writer.ts";
import type { RecordCodec } from "../codec.ts";

/** Available cashback expired. Topic notifications.v1, key merchantId:customerId. */
export interface CashbackExpired {
  readonly type: "CashbackExpired";
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
  readonly balanceMinor: bigint;
}

function readCashbackExpired(r: AvroReader): CashbackExpired {
  return {
    type: "CashbackExpired",
    id: r.string("id"),
    merchantId: r.string("merchantId"),
    customerId: r.string("customerId"),
    occurredAt: r.safeLong("occurredAt"),
    orderId: r.index("orderId", 2, "union") === 0 ? null : r.string("orderId"),
    amountMinor: r.long("amountMinor"),
    currency: r.string("currency"),
    balanceMinor: r.long("balanceMinor"),
  };
}

function writeCashbackExpired(w: AvroWriter, v: Omit<CashbackExpired, "type">): void {
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
  w.long("balanceMinor", v.balanceMinor);
}

const schema =
  '{"type":"record","name":"CashbackExpired","namespace":"perkstream.notifications","doc":"Available cashback expired. Topic notifications.v1, key merchantId:customerId.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of what caused it; the same after a replay."},{"name":"merchantId","type":"string"},{"name":"customerId","type":"string"},{"name":"occurredAt","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Event time of the cause."},{"name":"orderId","type":["null","string"],"default":null,"doc":"The order that caused it, if one did."},{"name":"amountMinor","type":"long"},{"name":"currency","type":"string"},{"name":"balanceMinor","type":"long"}]}';

export const cashbackExpiredCodec: RecordCodec<CashbackExpired> = {
  type: "CashbackExpired",
  fullName: "perkstream.notifications.CashbackExpired",
  topic: "notifications.v1",
  subject: "notifications.v1-perkstream.notifications.CashbackExpired",
  schema,
  read: readCashbackExpired,
  write: writeCashbackExpired,
};
