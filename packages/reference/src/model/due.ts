import { expire, hasExpired, lotsOf, notifyOfLot, payDebt, post, sums, type Book } from "./book.ts";
import type { Lot } from "./lots.ts";
import { lapse } from "./redemptions.ts";
import { dayMs, timeText, type Instant } from "./time.ts";

interface Due {
  readonly at: Instant;
  apply(asOf: Instant): void;
}

/** Applies what is due for a customer by `until`, each as of its own moment (or of the last as-of if that is later). */
export function applyDue(book: Book, customerId: string, until: Instant): void {
  for (let due = nextDue(book, customerId); due !== undefined && due.at <= until; due = nextDue(book, customerId)) {
    due.apply(due.at);
    book.lastAsOf.set(customerId, due.at);
  }
}

/** The earliest; at the same moment: holds end, reservations lapse, notices before expiry, expiry; then by lot. */
function nextDue(book: Book, customerId: string): Due | undefined {
  const lots = lotsOf(book, customerId);
  const lapses = book.redemptions.filter((redemption) => redemption.customerId === customerId && redemption.status === "reserved");
  const dues: Due[] = [
    ...lots.flatMap((lot) => holdEnd(book, lot)),
    ...lapses.map((redemption) => ({ at: redemption.expiresAt!, apply: (asOf: Instant) => lapse(book, redemption, asOf) })),
    ...lots.flatMap((lot) => expiringNotice(book, lot)),
    ...lots.flatMap((lot) => expiry(book, lot)),
  ];
  // What comes too late for its own moment is due at the last as-of.
  const earliest = book.lastAsOf.get(customerId) ?? 0;
  return dues.map(({ at, apply }) => ({ at: Math.max(at, earliest), apply })).sort((a, b) => a.at - b.at)[0];
}

function holdEnd(book: Book, lot: Lot): Due[] {
  const { pending } = sums(book, lot);
  if (pending === 0n) return [];
  const apply = (asOf: Instant) => {
    post(book, lot, "pending", "available", pending, "hold_ended", asOf);
    notifyOfLot(book, "CashbackAvailable", lot, pending, asOf);
    payDebt(book, lot, pending, asOf);
  };
  return [{ at: lot.availableAt, apply }];
}

function expiringNotice(book: Book, lot: Lot): Due[] {
  const days = book.merchant.expiringNoticeDays;
  const { available } = sums(book, lot);
  if (days === 0 || lot.expiresAt === null || lot.noticed || available === 0n) return [];
  // What has expired already is not about to.
  if (hasExpired(lot, book.lastAsOf.get(lot.customerId) ?? lot.availableAt)) return [];
  const expiresAt = lot.expiresAt;
  const apply = (asOf: Instant) => {
    lot.noticed = true;
    notifyOfLot(book, "CashbackExpiring", lot, available, asOf, { expiresAt: timeText(expiresAt) });
  };
  return [{ at: expiresAt - days * dayMs, apply }];
}

function expiry(book: Book, lot: Lot): Due[] {
  if (lot.expiresAt === null || sums(book, lot).available === 0n) return [];
  return [{ at: lot.expiresAt, apply: (asOf) => expire(book, lot, asOf) }];
}
