import { type Award, bases, type Limits, refundTarget } from "./award.ts";
import { DAY_MS } from "./calendar.ts";
import { balanceMinor, type Customer, type Redemption } from "./customer.ts";
import { account, kind } from "./ledger.ts";
import { byUse, hasExpired, type Lot } from "./lot.ts";
import { min } from "./money.ts";
import { payDebt, post, type Posting } from "./posting.ts";

/** A counted order as a refund needs it, after the refund lowered `remaining`. */
export interface RefundedOrder {
  readonly orderId: string;
  readonly lines: readonly { readonly netMinor: bigint }[];
  readonly paidWithCashbackMinor: bigint;
  readonly remaining: readonly bigint[];
  /** By priority, then id. */
  readonly awards: readonly Award[];
}

/** What a clawback took and where from; the parts add up to `amountMinor`. */
export interface Clawback {
  readonly award: Award;
  readonly amountMinor: bigint;
  readonly pendingMinor: bigint;
  readonly availableMinor: bigint;
  readonly expiredMinor: bigint;
  readonly otherLotsMinor: bigint;
  readonly debtMinor: bigint;
  readonly writtenOffMinor: bigint;
}

export interface RefundEffect {
  readonly putBackMinor: bigint;
  /** Only those above zero. */
  readonly clawbacks: readonly Clawback[];
}

const PUT_BACK_DAYS = 30;

/** Puts back, then claws back, then says so: the whole effect of one refund or cancellation (programs.md, Cashback 5, 6 and 9). */
export function refund(posting: Posting, order: RefundedOrder, occurredAt: number, limits: Limits): RefundEffect {
  const putBackMinor = putBack(posting, order);
  const clawbacks: Clawback[] = [];
  let reversedMinor = 0n;
  const lineBases = bases(order.lines, order.paidWithCashbackMinor);
  for (const award of order.awards) {
    if (award.currentMinor === 0n) continue;
    const amountMinor = award.currentMinor - refundTarget(award, order.lines, lineBases, order.remaining);
    if (amountMinor <= 0n) continue;
    award.currentMinor -= amountMinor;
    reversedMinor += amountMinor;
    limits.use(award.campaign, -amountMinor);
    clawbacks.push(clawBack(posting, order.orderId, award, amountMinor));
  }
  if (reversedMinor > 0n) {
    posting.sink.notice({
      type: "CashbackReversed",
      cause: posting.noticeCause ?? { orderId: order.orderId, campaignId: "", at: posting.asOf },
      n: 0,
      customerId: posting.customer.customerId,
      occurredAt,
      orderId: order.orderId,
      amountMinor: reversedMinor,
      balanceMinor: balanceMinor(posting.customer),
    });
  }
  return { putBackMinor, clawbacks };
}

/** An order has at most one lot of a campaign. Missing means that it was not loaded: a defect. */
function ownLot(customer: Customer, orderId: string, award: Award): Lot {
  for (const lot of customer.lots.values()) {
    if (lot.campaign === award.campaign && lot.orderId === orderId) return lot;
  }
  throw new Error(`the lot of order ${orderId} and campaign ${award.campaignId} is not loaded`);
}

function reverse(posting: Posting, lot: Lot, from: "pendingMinor" | "availableMinor" | "expiredMinor", wantedMinor: bigint): bigint {
  const taken = min(lot[from], wantedMinor);
  if (taken === 0n) return 0n;
  lot[from] -= taken;
  lot.reversedMinor += taken;
  const debit = from === "pendingMinor" ? account.pending : from === "availableMinor" ? account.available : account.breakage;
  post(posting, lot, kind.clawback, debit, account.cost, taken);
  return taken;
}

function clawBack(posting: Posting, orderId: string, award: Award, amountMinor: bigint): Clawback {
  const { customer } = posting;
  const own = ownLot(customer, orderId, award);
  let left = amountMinor;
  const pendingMinor = reverse(posting, own, "pendingMinor", left);
  left -= pendingMinor;
  const availableMinor = reverse(posting, own, "availableMinor", left);
  left -= availableMinor;
  const expiredMinor = reverse(posting, own, "expiredMinor", left);
  left -= expiredMinor;
  const otherLotsMinor = fromOthers(posting, own, left);
  left -= otherLotsMinor;
  const owed = posting.rules.clawbackPolicy === "allow_negative";
  post(posting, own, kind.clawback, owed ? account.debt : account.writtenOff, account.cost, left);
  return {
    award,
    amountMinor,
    pendingMinor,
    availableMinor,
    expiredMinor,
    otherLotsMinor,
    debtMinor: owed ? left : 0n,
    writtenOffMinor: owed ? 0n : left,
  };
}

/** The customer's other available lots, next to expire first. */
function fromOthers(posting: Posting, own: Lot, wantedMinor: bigint): bigint {
  const { customer } = posting;
  if (wantedMinor === 0n || customer.availableMinor === 0n) return 0n;
  let taken = 0n;
  for (const lot of usable(customer)) {
    if (taken === wantedMinor) break;
    if (lot !== own) taken += reverse(posting, lot, "availableMinor", wantedMinor - taken);
  }
  if (taken < wantedMinor && customer.availableMinor > 0n) throw new Error("an available lot is not loaded");
  return taken;
}

/** What is available, in the order of use. */
export function usable(customer: Customer): Lot[] {
  const lots: Lot[] = [];
  for (const lot of customer.lots.values()) if (lot.availableMinor > 0n) lots.push(lot);
  return lots.sort(byUse);
}

/** The committed redemptions that name an order, in the order of creation. */
function redemptionsOf(customer: Customer, orderId: string): Redemption[] {
  const found: Redemption[] = [];
  for (const redemption of customer.redemptions.values()) {
    if (redemption.status === "committed" && redemption.orderId === orderId) found.push(redemption);
  }
  return found.sort((a, b) => a.sequence - b.sequence);
}

/**
 * After refunds, floor(paid × refunded / net) of what the order was paid with is back in its lots, in reverse order of use
 * (programs.md, Cashback 9). Called after a refund, and when a redemption that names a refunded order is committed or linked.
 * Answers what was put back now.
 */
export function putBack(posting: Posting, order: Omit<RefundedOrder, "awards" | "paidWithCashbackMinor">): bigint {
  const redemptions = redemptionsOf(posting.customer, order.orderId);
  if (redemptions.length === 0) return 0n;
  let netMinor = 0n;
  let remainingMinor = 0n;
  for (const line of order.lines) netMinor += line.netMinor;
  for (const amount of order.remaining) remainingMinor += amount;
  if (netMinor === 0n) return 0n;
  let paidMinor = 0n;
  let restoredMinor = 0n;
  for (const redemption of redemptions) {
    paidMinor += redemption.amountMinor;
    for (const part of redemption.parts) restoredMinor += part.restoredMinor;
  }
  const wanted = (paidMinor * (netMinor - remainingMinor)) / netMinor - restoredMinor;
  if (wanted <= 0n) return 0n;
  let left = wanted;
  for (let i = redemptions.length - 1; i >= 0 && left > 0n; i--) {
    const redemption = redemptions[i];
    if (redemption !== undefined) left -= restore(posting, redemption, left);
  }
  return wanted - left;
}

function restore(posting: Posting, redemption: Redemption, wantedMinor: bigint): bigint {
  let left = wantedMinor;
  for (let i = redemption.parts.length - 1; i >= 0 && left > 0n; i--) {
    const part = redemption.parts[i];
    if (part === undefined) continue;
    const amountMinor = min(part.amountMinor - part.restoredMinor, left);
    if (amountMinor === 0n) continue;
    const { lot } = part;
    part.restoredMinor += amountMinor;
    redemption.dirty = true;
    left -= amountMinor;
    lot.redeemedMinor -= amountMinor;
    lot.availableMinor += amountMinor;
    if (hasExpired(lot, posting.asOf)) lot.expiresAt = posting.asOf + PUT_BACK_DAYS * DAY_MS;
    post(posting, lot, kind.putBack, account.redeemed, account.available, amountMinor);
    payDebt(posting, lot, amountMinor);
  }
  return wantedMinor - left;
}
