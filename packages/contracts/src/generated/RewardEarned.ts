// Made by `npm run schemas -- generate` from schemas/; do not edit.
import type { AvroReader } from "../avro/reader.ts";
import type { AvroWriter } from "../avro/writer.ts";
import type { RecordCodec } from "../codec.ts";

/** Units of an order were bought on a full card; sent at most once per order and card, each reward in exactly one. Topic notifications.v1, key merchantId:customerId. */
export interface RewardEarned {
  readonly type: "RewardEarned";
  /** UUIDv5 of what caused it; the same after a replay. */
  readonly id: string;
  readonly merchantId: string;
  readonly customerId: string;
  /** Event time of the cause. Milliseconds since 1970. */
  readonly occurredAt: number;
  /** The order that caused it, if one did. */
  readonly orderId: string | null;
  readonly cardId: string;
  /** Name of the card. */
  readonly card: string;
  /** Units that are rewarded; one unless the order fills the card again. */
  readonly rewards: bigint;
  /** What these units cost: the net of a line divided by its quantity, rounded down, for each. */
  readonly amountMinor: bigint;
  readonly currency: string;
  /** On the card after the order. */
  readonly stamps: number;
}

function readRewardEarned(r: AvroReader): RewardEarned {
  return {
    type: "RewardEarned",
    id: r.string("id"),
    merchantId: r.string("merchantId"),
    customerId: r.string("customerId"),
    occurredAt: r.safeLong("occurredAt"),
    orderId: r.index("orderId", 2, "union") === 0 ? null : r.string("orderId"),
    cardId: r.string("cardId"),
    card: r.string("card"),
    rewards: r.long("rewards"),
    amountMinor: r.long("amountMinor"),
    currency: r.string("currency"),
    stamps: r.int("stamps"),
  };
}

function writeRewardEarned(w: AvroWriter, v: Omit<RewardEarned, "type">): void {
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
  w.string("cardId", v.cardId);
  w.string("card", v.card);
  w.long("rewards", v.rewards);
  w.long("amountMinor", v.amountMinor);
  w.string("currency", v.currency);
  w.int("stamps", v.stamps);
}

const schema =
  '{"type":"record","name":"RewardEarned","namespace":"perkstream.notifications","doc":"Units of an order were bought on a full card; sent at most once per order and card, each reward in exactly one. Topic notifications.v1, key merchantId:customerId.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of what caused it; the same after a replay."},{"name":"merchantId","type":"string"},{"name":"customerId","type":"string"},{"name":"occurredAt","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Event time of the cause."},{"name":"orderId","type":["null","string"],"default":null,"doc":"The order that caused it, if one did."},{"name":"cardId","type":"string"},{"name":"card","type":"string","doc":"Name of the card."},{"name":"rewards","type":"long","doc":"Units that are rewarded; one unless the order fills the card again."},{"name":"amountMinor","type":"long","doc":"What these units cost: the net of a line divided by its quantity, rounded down, for each."},{"name":"currency","type":"string"},{"name":"stamps","type":"int","doc":"On the card after the order."}]}';

export const rewardEarnedCodec: RecordCodec<RewardEarned> = {
  type: "RewardEarned",
  fullName: "perkstream.notifications.RewardEarned",
  topic: "notifications.v1",
  subject: "notifications.v1-perkstream.notifications.RewardEarned",
  schema,
  read: readRewardEarned,
  write: writeRewardEarned,
};
