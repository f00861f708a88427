// Made by `npm run schemas -- generate` from schemas/; do not edit.
import type { AvroReader } from "../avro/reader.ts";
import type { AvroWriter } from "../avro/writer.ts";
import type { RecordCodec } from "../codec.ts";

export interface OrderLine {
  readonly sku: string;
  readonly category: string | null;
  /** At least 1. */
  readonly quantity: number;
  /** What was paid for the whole line, in minor units: after discounts, before tax and shipping. Zero or more. */
  readonly netMinor: bigint;
}

/** A customer paid for an order. Topic orders.v1, key merchantId:customerId. An order is placed once: a second OrderPlaced with the same merchantId and orderId is a duplicate when its content is equal and a conflict when it is not. */
export interface OrderPlaced {
  readonly type: "OrderPlaced";
  /** The merchant that sold it; a UUID. */
  readonly merchantId: string;
  /** The merchant's own id of the customer, 1 to 64 characters. */
  readonly customerId: string;
  /** The merchant's own id of the order, 1 to 64 characters; unique per merchant. */
  readonly orderId: string;
  /** When the order was placed (event time). Milliseconds since 1970. */
  readonly occurredAt: number;
  /** ISO 4217 code of every amount in this event. */
  readonly currency: string;
  /** At least one line; a refund names a line by its position, counted from 0. */
  readonly lines: readonly OrderLine[];
  /** Part of the order's net paid by redeeming cashback, in minor units. It earns nothing. */
  readonly paidWithCashbackMinor: bigint;
}

function readLinesItem(r: AvroReader): OrderLine {
  return {
    sku: r.string("lines[].sku"),
    category: r.index("lines[].category", 2, "union") === 0 ? null : r.string("lines[].category"),
    quantity: r.int("lines[].quantity"),
    netMinor: r.long("lines[].netMinor"),
  };
}

function readLines(r: AvroReader): OrderLine[] {
  const items: OrderLine[] = [];
  for (let count = r.block("lines", 4); count > 0; count = r.block("lines", 4)) {
    for (; count > 0; count -= 1) items.push(readLinesItem(r));
  }
  return items;
}

function readOrderPlaced(r: AvroReader): OrderPlaced {
  return {
    type: "OrderPlaced",
    merchantId: r.string("merchantId"),
    customerId: r.string("customerId"),
    orderId: r.string("orderId"),
    occurredAt: r.safeLong("occurredAt"),
    currency: r.string("currency"),
    lines: readLines(r),
    paidWithCashbackMinor: r.long("paidWithCashbackMinor"),
  };
}

function writeLinesItem(w: AvroWriter, v: OrderLine): void {
  w.string("lines[].sku", v.sku);
  if (v.category === null) {
    w.index("lines[].category", 0);
  } else {
    w.index("lines[].category", 1);
    w.string("lines[].category", v.category);
  }
  w.int("lines[].quantity", v.quantity);
  w.long("lines[].netMinor", v.netMinor);
}

function writeOrderPlaced(w: AvroWriter, v: Omit<OrderPlaced, "type">): void {
  w.string("merchantId", v.merchantId);
  w.string("customerId", v.customerId);
  w.string("orderId", v.orderId);
  w.safeLong("occurredAt", v.occurredAt);
  w.string("currency", v.currency);
  if (v.lines.length > 0) {
    w.index("lines", v.lines.length);
    for (const item of v.lines) {
      writeLinesItem(w, item);
    }
  }
  w.index("lines", 0);
  w.long("paidWithCashbackMinor", v.paidWithCashbackMinor);
}

const schema =
  '{"type":"record","name":"OrderPlaced","namespace":"perkstream.orders","doc":"A customer paid for an order. Topic orders.v1, key merchantId:customerId. An order is placed once: a second OrderPlaced with the same merchantId and orderId is a duplicate when its content is equal and a conflict when it is not.","fields":[{"name":"merchantId","type":"string","doc":"The merchant that sold it; a UUID."},{"name":"customerId","type":"string","doc":"The merchant\'s own id of the customer, 1 to 64 characters."},{"name":"orderId","type":"string","doc":"The merchant\'s own id of the order, 1 to 64 characters; unique per merchant."},{"name":"occurredAt","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"When the order was placed (event time)."},{"name":"currency","type":"string","doc":"ISO 4217 code of every amount in this event."},{"name":"lines","type":{"type":"array","items":{"type":"record","name":"OrderLine","fields":[{"name":"sku","type":"string"},{"name":"category","type":["null","string"],"default":null},{"name":"quantity","type":"int","doc":"At least 1."},{"name":"netMinor","type":"long","doc":"What was paid for the whole line, in minor units: after discounts, before tax and shipping. Zero or more."}]}},"doc":"At least one line; a refund names a line by its position, counted from 0."},{"name":"paidWithCashbackMinor","type":"long","default":0,"doc":"Part of the order\'s net paid by redeeming cashback, in minor units. It earns nothing."}]}';

export const orderPlacedCodec: RecordCodec<OrderPlaced> = {
  type: "OrderPlaced",
  fullName: "perkstream.orders.OrderPlaced",
  topic: "orders.v1",
  subject: "orders.v1-perkstream.orders.OrderPlaced",
  schema,
  read: readOrderPlaced,
  write: writeOrderPlaced,
};
