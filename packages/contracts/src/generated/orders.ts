// Made by `npm run schemas -- generate` from schemas/; do not edit.
import type { RecordCodec } from "../codec.ts";
import { type OrderCancelled, orderCancelledCodec } from "./OrderCancelled.ts";
import { type OrderPlaced, orderPlacedCodec } from "./OrderPlaced.ts";
import { type OrderRefunded, orderRefundedCodec } from "./OrderRefunded.ts";

export type { OrderCancelled } from "./OrderCancelled.ts";
export type { OrderLine, OrderPlaced } from "./OrderPlaced.ts";
export type { OrderRefunded, RefundLine } from "./OrderRefunded.ts";

/** The record types of topic orders.v1, by name. */
export interface OrdersRecords {
  readonly OrderCancelled: OrderCancelled;
  readonly OrderPlaced: OrderPlaced;
  readonly OrderRefunded: OrderRefunded;
}

export const ordersCodecs: { readonly [T in keyof OrdersRecords]: RecordCodec<OrdersRecords[T]> } = {
  OrderCancelled: orderCancelledCodec,
  OrderPlaced: orderPlacedCodec,
  OrderRefunded: orderRefundedCodec,
};
