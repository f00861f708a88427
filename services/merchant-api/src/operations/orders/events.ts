import type { z } from "@hono/zod-openapi";
import type { OrderCancelled, OrderPlaced, OrderRefunded } from "@perkstream/contracts";
import { currentSettings, type Merchant } from "@perkstream/merchant";
import type { cancelBody, orderBody, refundBody } from "../../schemas/order.ts";

export type OrderCommand = z.output<typeof orderBody>;
export type RefundCommand = z.output<typeof refundBody>;
export type CancelCommand = z.output<typeof cancelBody>;

export function placedEvent(merchant: Merchant, order: OrderCommand, occurredAt: number, paidWithCashbackMinor: bigint): OrderPlaced {
  return {
    type: "OrderPlaced",
    merchantId: merchant.merchantId,
    customerId: order.customerId,
    orderId: order.orderId,
    occurredAt,
    currency: order.currency ?? currentSettings(merchant).currency,
    lines: order.lines,
    paidWithCashbackMinor,
  };
}

export function refundedEvent(
  merchant: Merchant,
  orderId: string,
  { customerId, refundId, occurredAt, lines }: RefundCommand,
  now: number,
): OrderRefunded {
  return { type: "OrderRefunded", merchantId: merchant.merchantId, customerId, orderId, refundId, occurredAt: occurredAt ?? now, lines };
}

export function cancelledEvent(
  merchant: Merchant,
  orderId: string,
  { customerId, occurredAt, reason }: CancelCommand,
  now: number,
): OrderCancelled {
  return { type: "OrderCancelled", merchantId: merchant.merchantId, customerId, orderId, occurredAt: occurredAt ?? now, reason };
}
