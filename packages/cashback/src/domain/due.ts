import { DAY_MS } from "./calendar.ts";
import { balanceMinor, type Customer, type Redemption, rewatch } from "./customer.ts";
import { account, kind } from "./ledger.ts";
import { hasExpired, type Lot } from "./lot.ts";
import { expire, lotCause, payDebt, post, type Posting, type Rules, type Sink } from "./posting.ts";

/** What happens at one moment, in this order. */
export const rank = { holdEnds: 0, lapses: 1, notice: 2, expiry: 3 } as const;
export type Rank = (typeof rank)[keyof typeof rank];

/** Where something due stands in the order of what is due: its moment, what it is, then the older lot or reservation. */
export interface DuePlace {
  readonly at: number;
  readonly rank: Rank;
  readonly order: number;
}

/** Only the first of what is due: all that comes before a place, or so many. */
export type FirstDues = { readonly before: DuePlace } | { readonly count: number };

interface Due extends DuePlace {
  readonly lot: Lot | null;
  readonly redemption: Redemption | null;
}

/** True when something may be due by `asOf`: then its lots and reservations must be there. Cheap enough for every event. */
export function mayBeDue(customer: Customer, asOf: number, rules: Rules): boolean {
  return customer.dueAt <= asOf || (rules.expiringNoticeDays > 0 && customer.unannouncedAt - rules.expiringNoticeDays * DAY_MS <= asOf);
}

/**
 * Applies whatever is due for the customer by `asOf`, in the order of its moments and as of them (programs.md, Time).
 * What becomes due late (a notice whose days were raised, a lot that is released after its time) is due at the last as-of.
 * With `first` the rest is left for later; as it is due at the same moments still, its turn comes before anything else's.
 * Answers how much was applied; the customer's last as-of moves only with what was.
 */
export function applyDue(customer: Customer, asOf: number, rules: Rules, sink: Sink, first: FirstDues | null = null): number {
  if (!mayBeDue(customer, asOf, rules)) return 0;
  let applied = 0;
  for (const due of duesBy(customer, asOf, rules)) {
    if (!stands(due)) continue;
    if (first !== null && ("count" in first ? applied === first.count : byPlace(due, first.before) >= 0)) break;
    customer.lastAsOf = due.at;
    const posting: Posting = { sink, rules, customer, asOf: due.at, cause: { due: due.at }, noticeCause: null };
    if (due.redemption !== null) lapse(posting, due.redemption);
    else if (due.lot !== null) turn(posting, due.lot, due.rank);
    applied += 1;
  }
  rewatch(customer);
  return applied;
}

function turn(posting: Posting, lot: Lot, what: Rank): void {
  if (what === rank.holdEnds) endHold(posting, lot);
  else if (what === rank.notice) announce(posting, lot);
  else expire(posting, lot, 0);
}

/** Whether it is still to be done when its turn comes: something may be available and not announced. Only holds and lapses always are. */
function stands({ rank: what, lot }: Due): boolean {
  if (lot === null || what === rank.holdEnds) return true;
  return lot.availableMinor > 0n && !(what === rank.notice && lot.noticed);
}

/**
 * Everything that may be due by `asOf`, in its order, found and sorted once: a customer may have tens of thousands of lots.
 * What another due makes possible is foreseen: an expiry and its notice stand once for every moment from which something is available
 * in the lot, which is now, the end of its hold and the lapse of each reservation.
 */
function duesBy(customer: Customer, asOf: number, rules: Rules): Due[] {
  const dues: Due[] = [];
  const noticeMs = rules.expiringNoticeDays * DAY_MS;
  const add = (at: number, what: Rank, order: number, lot: Lot | null, redemption: Redemption | null): void => {
    if (at <= asOf) dues.push({ at, rank: what, order, lot, redemption });
  };
  const addExpiry = (lot: Lot, from: number): void => {
    if (lot.expiresAt === null) return;
    add(Math.max(lot.expiresAt, from), rank.expiry, lot.lotId, lot, null);
    if (noticeMs > 0 && !lot.noticed && lot.expiresAt > from) {
      add(Math.max(lot.expiresAt - noticeMs, from), rank.notice, lot.lotId, lot, null);
    }
  };
  for (const lot of customer.lots.values()) {
    if (lot.availableMinor > 0n) addExpiry(lot, customer.lastAsOf);
    if (lot.pendingMinor === 0n) continue;
    const endsAt = Math.max(lot.availableAt, customer.lastAsOf);
    add(endsAt, rank.holdEnds, lot.lotId, lot, null);
    addExpiry(lot, endsAt);
  }
  for (const redemption of customer.redemptions.values()) {
    if (redemption.status !== "reserved" || redemption.expiresAt === null) continue;
    const lapsesAt = Math.max(redemption.expiresAt, customer.lastAsOf);
    add(lapsesAt, rank.lapses, redemption.sequence, null, redemption);
    for (const { lot } of redemption.parts) addExpiry(lot, lapsesAt);
  }
  return dues.sort(byPlace);
}

function byPlace(a: DuePlace, b: DuePlace): number {
  return a.at - b.at || a.rank - b.rank || a.order - b.order;
}

function endHold(posting: Posting, lot: Lot): void {
  const amountMinor = lot.pendingMinor;
  const { customer } = posting;
  lot.pendingMinor = 0n;
  lot.availableMinor += amountMinor;
  post(posting, lot, kind.holdEnded, account.pending, account.available, amountMinor);
  posting.sink.notice({
    type: "CashbackAvailable",
    cause: lotCause(lot, posting.asOf),
    n: 0,
    customerId: customer.customerId,
    occurredAt: posting.asOf,
    orderId: lot.orderId,
    amountMinor,
    balanceMinor: balanceMinor(customer),
  });
  payDebt(posting, lot, amountMinor);
}

function announce(posting: Posting, lot: Lot): void {
  lot.noticed = true;
  lot.dirty = true;
  posting.sink.notice({
    type: "CashbackExpiring",
    cause: lotCause(lot, posting.asOf),
    n: 0,
    customerId: posting.customer.customerId,
    occurredAt: posting.asOf,
    orderId: lot.orderId,
    amountMinor: lot.availableMinor,
    expiresAt: lot.expiresAt ?? posting.asOf,
  });
}

/** The reserved parts become available again. What is past its expiry stays available here: the caller or its due moment expires it. */
export function giveBack(posting: Posting, redemption: Redemption): void {
  for (const { lot, amountMinor } of redemption.parts) {
    lot.reservedMinor -= amountMinor;
    lot.availableMinor += amountMinor;
    post(posting, lot, kind.release, account.reserved, account.available, amountMinor);
    payDebt(posting, lot, amountMinor);
  }
}

function lapse(posting: Posting, redemption: Redemption): void {
  redemption.status = "lapsed";
  redemption.dirty = true;
  giveBack(posting, redemption);
}

/** What is over by now of these lots expires as of the posting: after a release by command. */
export function expireOver(posting: Posting, lots: readonly Lot[]): void {
  let n = 0;
  for (const lot of lots) if (hasExpired(lot, posting.asOf)) expire(posting, lot, n++);
}
