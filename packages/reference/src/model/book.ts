import type { Merchant } from "../story/types.ts";
import type { Award } from "./award.ts";
import { balance, debtOf, sumsOf, type Account, type Lot, type LotSums, type Transfer, type TransferKind } from "./lots.ts";
import { timeText, type Instant } from "./time.ts";

export interface Redemption {
  readonly id: string;
  readonly customerId: string;
  readonly orderId: string | null;
  readonly amount: bigint;
  readonly expiresAt: Instant | null;
  readonly parts: readonly { readonly lot: Lot; readonly amount: bigint; restored: bigint }[];
  status: "reserved" | "committed" | "released" | "lapsed";
}

export interface Clawback {
  readonly award: Award;
  readonly amount: bigint;
  readonly pending: bigint;
  readonly available: bigint;
  readonly expired: bigint;
  readonly otherLots: bigint;
  readonly debt: bigint;
  readonly writtenOff: bigint;
}

/** As in push.md, without id and merchant. */
export type Notification = { readonly type: string; readonly customerId: string; readonly [field: string]: unknown };

/** Everything that cashback wrote down, in order. Nothing here is a sum. */
export interface Book {
  readonly merchant: Merchant;
  readonly transfers: Transfer[];
  readonly lots: Lot[];
  readonly awards: Award[];
  readonly clawbacks: Clawback[];
  readonly redemptions: Redemption[];
  readonly notifications: Notification[];
  /** The last as-of of every customer that cashback knows. */
  readonly lastAsOf: Map<string, Instant>;
}

export function transfersOf(book: Book, customerId: string): Transfer[] {
  return book.transfers.filter((transfer) => transfer.customerId === customerId);
}

export function lotsOf(book: Book, customerId: string): Lot[] {
  return book.lots.filter((lot) => lot.customerId === customerId);
}

export function sums(book: Book, lot: Lot): LotSums {
  return sumsOf(lot, book.transfers);
}

export function available(book: Book, customerId: string): bigint {
  return balance(transfersOf(book, customerId), "available");
}

export function post(book: Book, lot: Lot, debit: Account, credit: Account, amount: bigint, kind: TransferKind, asOf: Instant): void {
  if (amount > 0n) book.transfers.push({ customerId: lot.customerId, debit, credit, amount, kind, lot, asOf });
}

/** Available less debt. */
export function balanceMinor(book: Book, customerId: string): bigint {
  return available(book, customerId) - debtOf(transfersOf(book, customerId));
}

/** Something of this lot has just become available: a debt takes it first. */
export function payDebt(book: Book, lot: Lot, amount: bigint, asOf: Instant): void {
  const debt = debtOf(transfersOf(book, lot.customerId));
  post(book, lot, "available", "debt", amount < debt ? amount : debt, "debt_paid", asOf);
}

export function expire(book: Book, lot: Lot, asOf: Instant): void {
  const { available } = sums(book, lot);
  if (available === 0n) return;
  post(book, lot, "available", "breakage", available, "expire", asOf);
  notifyOfLot(book, "CashbackExpired", lot, available, asOf);
}

export function notifyOfLot(book: Book, type: string, lot: Lot, amount: bigint, asOf: Instant, more: object = {}): void {
  notify(book, type, lot.customerId, asOf, {
    orderId: lot.orderId,
    amountMinor: Number(amount),
    ...(type === "CashbackExpiring" ? {} : { balanceMinor: Number(balanceMinor(book, lot.customerId)) }),
    ...more,
  });
}

export function notify(book: Book, type: string, customerId: string, occurredAt: Instant, fields: object): void {
  // Only what tells of an amount of money names its currency.
  const money = "amountMinor" in fields ? { currency: book.merchant.currency } : {};
  book.notifications.push({ type, customerId, occurredAt: timeText(occurredAt), ...money, ...fields });
}

export function hasExpired(lot: Lot, asOf: Instant): boolean {
  return lot.expiresAt !== null && lot.expiresAt <= asOf;
}
