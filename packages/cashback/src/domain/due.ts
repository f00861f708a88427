import { DAY_MS } from "./calendar.ts";
import { balanceMinor, type Customer, type Redemption, rewatch } from "./customer.ts";
import { account, kind } from "./ledger.ts";
import { hasExpired, type Lot } from "./lot.ts";
import { expire, lotCause, payDebt, post, type Posting, type Rules, type Sink } from "./posting.ts";

/** What happens at one moment, in this order. */
const rank = { holdEnds: 0, lapses: 1, notice: 2, expiry: 3 } as const;
type Rank = (typeof rank)[keyof typeof rank];

interface Due {
  at: number;
  rank: Rank;
  order: number;
  lot: Lot | null;
  redemption: Redemption | null;
}

/** True when something may be due by `asOf`: then its lots and reservations must be there. Cheap enough for every event. */
export function mayBeDue(customer: Customer, asOf: number, rules: Rules): boolean {
  return customer.dueAt <= asOf || (rules.expiringNoticeDays > 0 && customer.unannouncedAt - rules.expiringNoticeDays * DAY_MS <= asOf);
}

/**
 * Applies whatever is due for the customer by `asOf`, in the order of its moments and as of them (programs.md, Time).
 * What becomes due late (a notice whose days were raised, a lot that is released after its time) is due at the last as-of.
 * Answers whether anything was applied; the customer's last as-of moves only with what was.
 */
export function applyDue(customer: Customer, asOf: number, rules: Rules, sink: Sink): boolean {
  if (!mayBeDue(customer, asOf, rules)) return false;
  let applied = false;
  for (let next = nextDue(customer, rules); next !== null && next.at <= asOf; next = nextDue(customer, rules)) {
    customer.lastAsOf = next.at;
    const posting: Posting = { sink, rules, customer, asOf: next.at, cause: { due: next.at }, noticeCause: null };
    if (next.redemption !== null) lapse(posting, next.redemption);
    else if (next.lot !== null) turn(posting, next.lot, next.rank);
    applied = true;
  }
  rewatch(customer);
  return applied;
}

function turn(posting: Posting, lot: Lot, what: Rank): void {
  if (what === rank.holdEnds) endHold(posting, lot);
  else if (what === rank.notice) announce(posting, lot);
  else expire(posting, lot, 0);
}

function nextDue(customer: Customer, rules: Rules): Due | null {
  const next: Due = { at: Number.POSITIVE_INFINITY, rank: rank.holdEnds, order: 0, lot: null, redemption: null };
  const consider = (moment: number, what: Rank, order: number, lot: Lot | null, redemption: Redemption | null): void => {
    const at = moment > customer.lastAsOf ? moment : customer.lastAsOf;
    if (at > next.at || (at === next.at && (what > next.rank || (what === next.rank && order >= next.order)))) return;
    next.at = at;
    next.rank = what;
    next.order = order;
    next.lot = lot;
    next.redemption = redemption;
  };
  const noticeMs = rules.expiringNoticeDays * DAY_MS;
  for (const lot of customer.lots.values()) {
    if (lot.pendingMinor > 0n) consider(lot.availableAt, rank.holdEnds, lot.lotId, lot, null);
    if (lot.availableMinor > 0n && lot.expiresAt !== null) {
      consider(lot.expiresAt, rank.expiry, lot.lotId, lot, null);
      if (noticeMs > 0 && !lot.noticed && lot.expiresAt > customer.lastAsOf) {
        consider(lot.expiresAt - noticeMs, rank.notice, lot.lotId, lot, null);
      }
    }
  }
  for (const redemption of customer.redemptions.values()) {
    if (redemption.status === "reserved" && redemption.expiresAt !== null) {
      consider(redemption.expiresAt, rank.lapses, redemption.sequence, null, redemption);
    }
  }
  return next.at === Number.POSITIVE_INFINITY ? null : next;
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
