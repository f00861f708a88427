import { z } from "@hono/zod-openapi";
import { limits } from "../http/limits.ts";
import { dateOut, instant, instantOut } from "./time.ts";
import { amount, amountOut, currency, givenId, id, int4, offsetOut, oneOf, optional, text } from "./values.ts";

const orderLine = z.object({
  sku: text(256),
  category: optional(text(256)),
  quantity: int4(1),
  netMinor: amount(0),
});

const MAX_LINES = 2_000;

export const orderBody = z
  .object({
    orderId: id,
    customerId: id,
    occurredAt: optional(instant),
    currency: optional(currency),
    lines: z.array(orderLine).min(1).max(MAX_LINES),
    redemptionId: optional(givenId),
  })
  .openapi("OrderCommand");

export const refundBody = z
  .object({
    customerId: id,
    refundId: id,
    occurredAt: optional(instant),
    lines: z
      .array(z.object({ line: int4(0), netMinor: amount(1) }))
      .min(1)
      .max(MAX_LINES),
  })
  .openapi("RefundCommand");

export const cancelBody = z.object({ customerId: id, occurredAt: optional(instant), reason: optional(text(256)) }).openapi("CancelCommand");

/** Each item is checked by itself, so that a bad one does not hold back the others. */
export const batchBody = z.object({ orders: z.array(z.unknown()).min(1).max(limits.batchOrders) });

export const accepted = z.object({ orderId: z.string(), partition: offsetOut, offset: offsetOut }).openapi("OrderAccepted");
export const refundAccepted = accepted.extend({ refundId: z.string() }).openapi("RefundAccepted");

const why = z
  .object({
    version: z.int(),
    lines: z.array(z.int()),
    baseMinor: amountOut,
    rateBps: z.int(),
    multiplierBps: z.int(),
    earnedMinor: amountOut,
    afterOrderCapMinor: amountOut.optional(),
    afterCustomerCapMinor: amountOut.optional(),
    afterBudgetMinor: amountOut.optional(),
    awardMinor: amountOut,
    reason: oneOf(["no_line", "rounded_to_zero", "customer_cap", "budget"]).optional(),
  })
  .openapi("Why", { description: "Every step of an award with its numbers; `reason` when it is 0." });

const award = z.object({
  campaignId: z.string(),
  version: z.int(),
  rateBps: z.int(),
  multiplierBps: z.int(),
  awardedMinor: amountOut,
  currentMinor: amountOut,
  lines: z.array(amountOut),
  why,
});

const clawback = z.object({
  campaignId: z.string(),
  amountMinor: amountOut,
  pendingMinor: amountOut,
  availableMinor: amountOut,
  expiredMinor: amountOut,
  otherLotsMinor: amountOut,
  debtMinor: amountOut,
  writtenOffMinor: amountOut,
});

export const orderShape = z
  .object({
    orderId: z.string(),
    customerId: z.string(),
    occurredAt: instantOut,
    localDate: dateOut,
    currency: z.string(),
    cancelled: z.boolean(),
    paidWithCashbackMinor: amountOut,
    lines: z.array(
      z.object({
        line: z.int(),
        sku: z.string(),
        category: z.string().nullable(),
        quantity: z.int(),
        netMinor: amountOut,
        baseMinor: amountOut,
        remainingMinor: amountOut,
      }),
    ),
    tier: z.object({ before: z.string().nullable(), after: z.string().nullable() }),
    awards: z.array(award),
    notEligible: z.array(z.object({ campaignId: z.string(), reason: oneOf(["not_active", "outside_period", "below_minimum"]) })),
    refunds: z.array(
      z.object({
        refundId: z.string().nullable(),
        occurredAt: instantOut,
        asOf: instantOut,
        amountMinor: amountOut,
        putBackMinor: amountOut,
        clawbacks: z.array(clawback),
      }),
    ),
  })
  .openapi("Order");

export const customerOrder = z
  .object({ orderId: z.string(), occurredAt: instantOut, netMinor: amountOut, remainingMinor: amountOut, cancelled: z.boolean() })
  .openapi("CustomerOrder");
