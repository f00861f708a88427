import type { Lot } from "./lot.ts";

export type RedemptionStatus = "reserved" | "committed" | "released" | "lapsed";

/** A part of a redemption: so much of one lot, in the order of use. */
export interface RedemptionPart {
  readonly lot: Lot;
  readonly amountMinor: bigint;
  /** Put back after refunds of the order that it paid for. */
  restoredMinor: bigint;
}

export interface Redemption {
  readonly redemptionId: string;
  /** Rises in the order of creation. */
  readonly sequence: number;
  orderId: string | null;
  readonly amountMinor: bigint;
  status: RedemptionStatus;
  readonly createdAt: number;
  /** Null for one step. */
  readonly expiresAt: number | null;
  readonly parts: readonly RedemptionPart[];
  dirty: boolean;
}

/**
 * A customer's cashback as far as a decision needs it.
 *
 * `lots` may be a part of the customer's lots, `redemptions` a part of the redemptions. What must be there: everything due by the
 * as-of of the decision; the lots of a refunded order; the committed redemptions that name it, with their lots; and of the other
 * available lots, in the order of use, as many as the decision may take.
 */
export interface Customer {
  readonly acct: number;
  readonly customerId: string;
  pendingMinor: bigint;
  availableMinor: bigint;
  reservedMinor: bigint;
  debtMinor: bigint;
  /** The as-of of the last thing that was applied, 0 for none. */
  lastAsOf: number;
  /** No hold ends, no reservation lapses and nothing expires before this instant; Infinity for never. */
  dueAt: number;
  /** No lot with something available whose expiry was not announced expires before this instant. */
  unannouncedAt: number;
  /** The same two of what is not in `lots` and `redemptions`. */
  elsewhereDueAt: number;
  elsewhereUnannouncedAt: number;
  readonly lots: Map<number, Lot>;
  readonly redemptions: Map<string, Redemption>;
}

export function newCustomer(acct: number, customerId: string): Customer {
  return {
    acct,
    customerId,
    pendingMinor: 0n,
    availableMinor: 0n,
    reservedMinor: 0n,
    debtMinor: 0n,
    lastAsOf: 0,
    dueAt: Number.POSITIVE_INFINITY,
    unannouncedAt: Number.POSITIVE_INFINITY,
    elsewhereDueAt: Number.POSITIVE_INFINITY,
    elsewhereUnannouncedAt: Number.POSITIVE_INFINITY,
    lots: new Map(),
    redemptions: new Map(),
  };
}

/** Available less debt; below zero while there is a debt. */
export function balanceMinor(customer: Customer): bigint {
  return customer.availableMinor - customer.debtMinor;
}

/** The latest of the event's times and of what was applied before (programs.md, Time). */
export function asOfFor(customer: Customer, at: number): number {
  return at > customer.lastAsOf ? at : customer.lastAsOf;
}

/** Lowers the customer's watermarks to what a lot can next cause. */
export function watch(customer: Customer, lot: Lot): void {
  if (lot.pendingMinor > 0n && lot.availableAt < customer.dueAt) customer.dueAt = lot.availableAt;
  if (lot.availableMinor > 0n && lot.expiresAt !== null) {
    if (lot.expiresAt < customer.dueAt) customer.dueAt = lot.expiresAt;
    if (!lot.noticed && lot.expiresAt < customer.unannouncedAt) customer.unannouncedAt = lot.expiresAt;
  }
}

/** Sets the watermarks anew from what is there and what is known of the rest. */
export function rewatch(customer: Customer): void {
  customer.dueAt = customer.elsewhereDueAt;
  customer.unannouncedAt = customer.elsewhereUnannouncedAt;
  for (const lot of customer.lots.values()) watch(customer, lot);
  for (const redemption of customer.redemptions.values()) watchReservation(customer, redemption);
}

export function watchReservation(customer: Customer, redemption: Redemption): void {
  if (redemption.status !== "reserved" || redemption.expiresAt === null) return;
  if (redemption.expiresAt < customer.dueAt) customer.dueAt = redemption.expiresAt;
}
