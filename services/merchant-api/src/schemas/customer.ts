import { z } from "@hono/zod-openapi";
import { dateOut, instantOut } from "./time.ts";
import { amountOut, id, offsetOut, oneOf } from "./values.ts";

export const customerParams = z.object({ customerId: id });

export const customerShape = z
  .object({
    customerId: z.string(),
    tier: z.object({ id: z.string(), name: z.string(), since: instantOut, validUntil: dateOut.nullable(), pinned: z.boolean() }).nullable(),
    metric: amountOut.openapi({ description: "Of the window that ends on the local date of the request's clock." }),
    lastPeriodMetric: amountOut.nullable(),
    nextTier: z.object({ id: z.string(), name: z.string(), missing: amountOut }).nullable(),
    cashback: z.object({
      pendingMinor: amountOut,
      availableMinor: amountOut,
      reservedMinor: amountOut,
      debtMinor: amountOut,
      balanceMinor: amountOut,
      currency: z.string(),
      nextExpiry: z.object({ amountMinor: amountOut, at: instantOut }).nullable(),
    }),
  })
  .openapi("Customer");

export type CustomerShape = z.input<typeof customerShape>;

export const tierHistoryEntry = z
  .object({
    from: z.string().nullable(),
    to: z.string().nullable(),
    reason: z.string(),
    actor: z.string(),
    asOf: instantOut,
    partition: offsetOut,
    offset: offsetOut,
    ruleVersion: z.int(),
    orderId: z.string().nullable(),
  })
  .openapi("TierHistoryEntry");

export const lot = z
  .object({
    orderId: z.string(),
    campaignId: z.string(),
    grantedMinor: amountOut,
    pendingMinor: amountOut,
    availableMinor: amountOut,
    reservedMinor: amountOut,
    redeemedMinor: amountOut,
    expiredMinor: amountOut,
    reversedMinor: amountOut,
    availableAt: instantOut,
    expiresAt: instantOut.nullable(),
  })
  .openapi("Lot");

const accounts = ["pending", "available", "reserved", "debt", "cost", "redeemed", "breakage", "written_off"] as const;
const kinds = ["award", "hold_ended", "reserve", "release", "redeem", "expire", "clawback", "debt_paid", "put_back"] as const;

export const transfer = z
  .object({
    id: z.int(),
    debit: oneOf(accounts),
    credit: oneOf(accounts),
    amountMinor: amountOut,
    kind: oneOf(kinds),
    orderId: z.string().nullable(),
    campaignId: z.string().nullable(),
    cause: z.union([
      z.object({ topic: z.string(), partition: offsetOut, offset: offsetOut }),
      z.object({ requestId: z.string() }),
      z.object({ due: instantOut }),
    ]),
    asOf: instantOut,
  })
  .openapi("Transfer");

export const capUse = z.object({ campaignId: z.string(), period: z.string(), usedMinor: amountOut }).openapi("CapUse");

export const notification = z
  .object({
    cursor: z.string(),
    id: z.string(),
    type: z.string(),
    at: instantOut,
    data: z.record(z.string(), z.unknown()),
    read: z.boolean(),
  })
  .openapi("Notification");

export const customerToken = z.object({ token: z.string(), expiresAt: instantOut, url: z.string() }).openapi("CustomerToken");
