// Made by `npm run schemas -- generate` from schemas/; do not edit.
import type { AvroReader } from "../avro/reader.ts";
import type { AvroWriter } from "../avro/writer.ts";
import type { RecordCodec } from "../codec.ts";

/** An order put stamps on the customer's card; sent at most once per order and card. Topic notifications.v1, key merchantId:customerId. */
export interface StampAdded {
  readonly type: "StampAdded";
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
  /** Units of the order that gave a stamp; rewarded ones give none. */
  readonly added: bigint;
  /** On the card after the order; at size the next unit is rewarded. */
  readonly stamps: number;
  /** Stamps that fill the card. */
  readonly size: number;
}

function readStampAdded(r: AvroReader): StampAdded {
  return {
    type: "StampAdded",
    id: r.string("id"),
    merchantId: r.string("merchantId"),
    customerId: r.string("customerId"),
    occurredAt: r.safeLong("occurredAt"),
    orderId: r.index("orderId", 2, "union") === 0 ? null : r.string("orderId"),
    cardId: r.string("cardId"),
    card: r.string("card"),
    added: r.long("added"),
    stamps: r.int("stamps"),
    size: r.int("size"),
  };
}

function writeStampAdded(w: AvroWriter, v: Omit<StampAdded, "type">): void {
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
  w.long("added", v.added);
  w.int("stamps", v.stamps);
  w.int("size", v.size);
}

const schema =
  '{"type":"record","name":"StampAdded","namespace":"perkstream.notifications","doc":"An order put stamps on the customer\'s card; sent at most once per order and card. Topic notifications.v1, key merchantId:customerId.","fields":[{"name":"id","type":"string","doc":"UUIDv5 of what caused it; the same after a replay."},{"name":"merchantId","type":"string"},{"name":"customerId","type":"string"},{"name":"occurredAt","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"Event time of the cause."},{"name":"orderId","type":["null","string"],"default":null,"doc":"The order that caused it, if one did."},{"name":"cardId","type":"string"},{"name":"card","type":"string","doc":"Name of the card."},{"name":"added","type":"long","doc":"Units of the order that gave a stamp; rewarded ones give none."},{"name":"stamps","type":"int","doc":"On the card after the order; at size the next unit is rewarded."},{"name":"size","type":"int","doc":"Stamps that fill the card."}]}';

export const stampAddedCodec: RecordCodec<StampAdded> = {
  type: "StampAdded",
  fullName: "perkstream.notifications.StampAdded",
  topic: "notifications.v1",
  subject: "notifications.v1-perkstream.notifications.StampAdded",
  schema,
  read: readStampAdded,
  write: writeStampAdded,
};
