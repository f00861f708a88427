// Made by `npm run schemas -- generate` from schemas/; do not edit.
import type { AvroReader } from "../avro/reader.ts";
import type { AvroWriter } from "../avro/writer.ts";
import type { RecordCodec } from "../codec.ts";

/** Everything of an order that is not refunded yet went back. Topic orders.v1, same key as the order. */
export interface OrderCancelled {
  readonly type: "OrderCancelled";
  readonly merchantId: string;
  readonly customerId: string;
  readonly orderId: string;
  /** Milliseconds since 1970. */
  readonly occurredAt: number;
  readonly reason: string | null;
}

function readOrderCancelled(r: AvroReader): OrderCancelled {
  return {
    type: "OrderCancelled",
    merchantId: r.string("merchantId"),
    customerId: r.string("customerId"),
    orderId: r.string("orderId"),
    occurredAt: r.safeLong("occurredAt"),
    reason: r.index("reason", 2, "union") === 0 ? null : r.string("reason"),
  };
}

function writeOrderCancelled(w: AvroWriter, v: Omit<OrderCancelled, "type">): void {
  w.string("merchantId", v.merchantId);
  w.string("customerId", v.customerId);
  w.string("orderId", v.orderId);
  w.safeLong("occurredAt", v.occurredAt);
  if (v.reason === null) {
    w.index("reason", 0);
  } else {
    w.index("reason", 1);
    w.string("reason", v.reason);
  }
}

const schema =
  '{"type":"record","name":"OrderCancelled","namespace":"perkstream.orders","doc":"Everything of an order that is not refunded yet went back. Topic orders.v1, same key as the order.","fields":[{"name":"merchantId","type":"string"},{"name":"customerId","type":"string"},{"name":"orderId","type":"string"},{"name":"occurredAt","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"reason","type":["null","string"],"default":null}]}';

export const orderCancelledCodec: RecordCodec<OrderCancelled> = {
  type: "OrderCancelled",
  fullName: "perkstream.orders.OrderCancelled",
  topic: "orders.v1",
  subject: "orders.v1-perkstream.orders.OrderCancelled",
  schema,
  read: readOrderCancelled,
  write: writeOrderCancelled,
};
