import { z } from "zod";

/*
 * What may stand in an `expect`. Every object is strict: a story that expects something this player does not know is refused
 * instead of passing unread. A value of null means absent or null.
 */

const amount = z.int();
const text = z.string();

const cashback = z.strictObject({
  pendingMinor: amount.optional(),
  availableMinor: amount.optional(),
  reservedMinor: amount.optional(),
  debtMinor: amount.optional(),
  balanceMinor: amount.optional(),
  nextExpiry: z.strictObject({ amountMinor: amount.optional(), at: text.optional() }).nullish(),
});

const historyRow = z.strictObject({
  from: text.nullish(),
  to: text.nullish(),
  reason: text.optional(),
  actor: text.optional(),
  asOf: text.optional(),
  offset: z.int().optional(),
  ruleVersion: z.int().optional(),
  orderId: text.nullish(),
});

const customer = z.strictObject({
  tier: text.nullish(),
  metric: amount.optional(),
  lastPeriodMetric: amount.nullish(),
  validUntil: text.nullish(),
  pinned: z.boolean().optional(),
  cashback: cashback.optional(),
  history: z.array(historyRow).optional(),
});

const why = z.strictObject({
  version: z.int().optional(),
  lines: z.array(z.int()).optional(),
  baseMinor: amount.optional(),
  rateBps: amount.optional(),
  multiplierBps: amount.optional(),
  earnedMinor: amount.optional(),
  afterOrderCapMinor: amount.nullish(),
  afterCustomerCapMinor: amount.nullish(),
  afterBudgetMinor: amount.nullish(),
  awardMinor: amount.optional(),
  reason: text.nullish(),
});

const awardDetail = z.strictObject({
  version: z.int().optional(),
  rateBps: z.int().optional(),
  multiplierBps: z.int().optional(),
  awarded: amount.optional(),
  lines: z.array(amount).optional(),
  why: why.optional(),
});

const lot = z.strictObject({
  granted: amount.optional(),
  pending: amount.optional(),
  available: amount.optional(),
  reserved: amount.optional(),
  redeemed: amount.optional(),
  expired: amount.optional(),
  reversed: amount.optional(),
  availableAt: text.optional(),
  expiresAt: text.nullish(),
});

const clawback = z.strictObject({
  orderId: text.optional(),
  campaignId: text.optional(),
  amountMinor: amount.optional(),
  pending: amount.optional(),
  available: amount.optional(),
  expired: amount.optional(),
  otherLots: amount.optional(),
  debt: amount.optional(),
  writtenOff: amount.optional(),
});

const redemption = z.strictObject({
  customerId: text.optional(),
  orderId: text.nullish(),
  status: text.optional(),
  amountMinor: amount.optional(),
  restoredMinor: amount.optional(),
  parts: z.record(text, amount).optional(),
});

const campaign = z.strictObject({
  awardedMinor: amount.optional(),
  reversedMinor: amount.optional(),
  usedMinor: amount.optional(),
  budgetLeftMinor: amount.nullish(),
  /** By `customer/period`. */
  caps: z.record(text, amount).optional(),
});

/** By their Avro names, with `type` beside them. */
const notification = z.strictObject({
  type: text.optional(),
  id: text.optional(),
  merchantId: text.optional(),
  customerId: text.optional(),
  occurredAt: text.optional(),
  orderId: text.nullish(),
  fromTier: text.nullish(),
  toTier: text.nullish(),
  direction: text.optional(),
  reason: text.nullish(),
  nextTier: text.nullish(),
  toNextTierMinor: amount.nullish(),
  amountMinor: amount.optional(),
  currency: text.optional(),
  campaigns: z.array(text).optional(),
  availableAt: text.nullish(),
  expiresAt: text.nullish(),
  balanceMinor: amount.optional(),
});

const preview = z.strictObject({ up: z.int().optional(), down: z.int().optional(), stay: z.int().optional() });

/** Keys of records are the story's ids; lots go by `order/campaign`, the ledger by account or `customer/account`. */
export const expectation = z.strictObject({
  customers: z.record(text, customer.nullable()).optional(),
  awards: z.record(text, z.record(text, amount.nullable()).nullable()).optional(),
  awardDetails: z.record(text, z.record(text, awardDetail)).optional(),
  orders: z.record(text, z.strictObject({ remaining: z.array(amount).optional() }).nullable()).optional(),
  lots: z.record(text, lot.nullable()).optional(),
  ledger: z.record(text, amount).optional(),
  transfers: z.int().optional(),
  clawbacks: z.array(clawback).optional(),
  redemptions: z.record(text, redemption.nullable()).optional(),
  campaigns: z.record(text, campaign).optional(),
  notifications: z.array(z.union([text, notification])).optional(),
  deadLetters: z.array(text).optional(),
  refusals: z.array(text).optional(),
  previews: z.array(preview).optional(),
  duplicates: z.int().optional(),
  parked: z.int().optional(),
});

export type Expectation = z.infer<typeof expectation>;
