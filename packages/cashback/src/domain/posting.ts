import type { LocalCalendar } from "./calendar.ts";
import { balanceMinor, type Customer, watch } from "./customer.ts";
import { account, type Account, type Cause, kind, type Kind } from "./ledger.ts";
import { hasExpired, type Lot } from "./lot.ts";
import { min } from "./money.ts";
import type { NoticeCause, NoticeValue } from "./notice.ts";

/** One row of the ledger. `lot` names the award: of a debt or a write-off the one that was clawed back. */
export interface Transfer {
  readonly customer: Customer;
  readonly lot: Lot;
  readonly kind: Kind;
  readonly debit: Account;
  readonly credit: Account;
  readonly amountMinor: bigint;
  readonly asOf: number;
  readonly cause: Cause;
}

/** Where decisions put what they post. */
export interface Sink {
  transfer(transfer: Transfer): void;
  notice(notice: NoticeValue): void;
}

export interface Rules {
  readonly clawbackPolicy: "allow_negative" | "clamp_to_zero";
  /** 0: no notices before expiry. */
  readonly expiringNoticeDays: number;
  readonly calendar: LocalCalendar;
}

/** What is being applied: to whom, as of when, caused by what. */
export interface Posting {
  readonly sink: Sink;
  readonly rules: Rules;
  readonly customer: Customer;
  readonly asOf: number;
  readonly cause: Cause;
  /** Of the notices; of what time causes it is the lot's. */
  readonly noticeCause: NoticeCause | null;
}

function move(customer: Customer, to: Account, amountMinor: bigint): void {
  switch (to) {
    case account.pending:
      customer.pendingMinor += amountMinor;
      break;
    case account.available:
      customer.availableMinor += amountMinor;
      break;
    case account.reserved:
      customer.reservedMinor += amountMinor;
      break;
    case account.debt:
      customer.debtMinor -= amountMinor;
      break;
    default:
  }
}

/** Posts one transfer and moves the customer's balances with it. Nothing is posted for 0. */
export function post(posting: Posting, lot: Lot, what: Kind, debit: Account, credit: Account, amountMinor: bigint): void {
  if (amountMinor === 0n) return;
  const { customer, asOf, cause } = posting;
  move(customer, debit, -amountMinor);
  move(customer, credit, amountMinor);
  lot.dirty = true;
  posting.sink.transfer({ customer, lot, kind: what, debit, credit, amountMinor, asOf, cause });
}

/** What became available pays the debt first, unless it expires in that moment; what pays it counts as reversed. */
export function payDebt(posting: Posting, lot: Lot, amountMinor: bigint): void {
  const { customer } = posting;
  if (customer.debtMinor > 0n && !hasExpired(lot, posting.asOf)) {
    const paid = min(customer.debtMinor, amountMinor);
    lot.availableMinor -= paid;
    lot.reversedMinor += paid;
    post(posting, lot, kind.debtPaid, account.available, account.debt, paid);
  }
  watch(customer, lot);
}

/** Expires what a lot has available, as of the posting. */
export function expire(posting: Posting, lot: Lot, n: number): void {
  const amountMinor = lot.availableMinor;
  if (amountMinor === 0n) return;
  const { customer, asOf, noticeCause } = posting;
  lot.availableMinor = 0n;
  lot.expiredMinor += amountMinor;
  post(posting, lot, kind.expire, account.available, account.breakage, amountMinor);
  posting.sink.notice({
    type: "CashbackExpired",
    cause: noticeCause ?? lotCause(lot, asOf),
    n,
    customerId: customer.customerId,
    occurredAt: asOf,
    orderId: lot.orderId,
    amountMinor,
    balanceMinor: balanceMinor(customer),
  });
}

export function lotCause(lot: Lot, at: number): NoticeCause {
  return { orderId: lot.orderId, campaignId: lot.campaignId, at };
}
