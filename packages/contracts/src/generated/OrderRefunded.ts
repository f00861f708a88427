// Made by `npm run schemas -- generate` from schemas/; do not edit.
import type { AvroReader } from "../avro/reader.ts";
import type { AvroWriter } from "../avro/writer.ts";
import type { RecordCodec } from "../codec.ts";

export interface RefundLine {
  /** Position of the order line, counted from 0. */
  readonly line: number;
  /** Refunded part of that line's netMinor, above zero. */
  readonly netMinor: bigint;
}

/** Money of an order went back to the customer. Topic orders.v1, same key as the order. A refundId counts once. */
export interface OrderRefunded {
  readonly type: "OrderRefunded";
  readonly merchantId: string;
  readonly customerId: string;
  readonly orderId: string;
  /** Unique per order. */
  readonly refundId: string;
  /** Milliseconds since 1970. */
  readonly occurredAt: number;
  readonly lines: readonly RefundLine[];
}

function readLinesItem(r: AvroReader): RefundLine {
  return {
    line: r.int("lines[].line"),
    netMinor: r.long("lines[].netMinor"),
  };
}

function readLines(r: AvroReader): RefundLine[] {
  const items: RefundLine[] = [];
  for (let count = r.block("lines", 2); count > 0; count = r.block("lines", 2)) {
    for (; count > 0; count -= 1) items.push(readLinesItem(r));
  }
  return items;
}

function readOrderRefunded(r: AvroReader): OrderRefunded {
  return {
    type: "OrderRefunded",
    merchantId: r.string("merchantId"),
    customerId: r.string("customerId"),
    orderId: r.string("orderId"),
    refundId: r.string("refundId"),
    occurredAt: r.safeLong("occurredAt"),
    lines: readLines(r),
  };
}

function writeLinesItem(w: AvroWriter, v: RefundLine): void {
  w.int("lines[].line", v.line);
  w.long("lines[].netMinor", v.netMinor);
}

function writeOrderRefunded(w: AvroWriter, v: Omit<OrderRefunded, "type">): void {
  w.string("merchantId", v.merchantId);
  w.string("customerId", v.customerId);
  w.string("orderId", v.orderId);
  w.string("refundId", v.refundId);
  w.safeLong("occurredAt", v.occurredAt);
  if (v.lines.length > 0) {
    w.index("lines", v.lines.length);
    for (const item of v.lines) {
      writeLinesItem(w, item);
    }
  }
  w.index("lines", 0);
}

const schema =
  '{"type":"record","name":"OrderRefunded","namespace":"perkstream.orders","doc":"Money of an order went back to the customer. Topic orders.v1, same key as the order. A refundId counts once.","fields":[{"name":"merchantId","type":"string"},{"name":"customerId","type":"string"},{"name":"orderId","type":"string"},{"name":"refundId","type":"string","doc":"Unique per order."},{"name":"occurredAt","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"lines","type":{"type":"array","items":{"type":"record","name":"RefundLine","fields":[{"name":"line","type":"int","doc":"Position of the order line, counted from 0."},{"name":"netMinor","type":"long","doc":"Refunded part of that line\'s netMinor, above zero."}]}}}]}';

export const orderRefundedCodec: RecordCodec<OrderRefunded> = {
  type: "OrderRefunded",
  fullName: "perkstream.orders.OrderRefunded",
  topic: "orders.v1",
  subject: "orders.v1-perkstream.orders.OrderRefunded",
  schema,
  read: readOrderRefunded,
  write: writeOrderRefunded,
};
