import { balanceMinor, type Redemption, type RedemptionPart, watchReservation } from "./customer.ts";
import { expireOver, giveBack } from "./due.ts";
import { account, kind } from "./ledger.ts";
import { min } from "./money.ts";
import { post, type Posting } from "./posting.ts";
import { putBack, type RefundedOrder, usable } from "./refund.ts";

/**
 *            commit             (before expiresAt)
 *   reserved ──────► committed ──► parts may be put back after refunds of the order
 *      │ ├─ release ─► released
 *      │ └─ expiresAt ► lapsed
 *   one step: ─────► committed
 */
export type Refusal = "insufficient_balance" | "not_reserved";

export interface NewRedemption {
  readonly redemptionId: string;
  readonly sequence: number;
  readonly orderId: string | null;
  readonly amountMinor: bigint;
}

/** The order that a redemption names, as far as it is counted. */
export type NamedOrder = Omit<RefundedOrder, "awards" | "paidWithCashbackMinor">;

/** Reserves for `ttlMs`. What is due by the posting's as-of must have been applied; a refusal changes nothing. */
export function reserve(posting: Posting, request: NewRedemption, ttlMs: number): Redemption | Refusal {
  const redemption = take(posting, request, "reserved", posting.asOf + ttlMs);
  if (typeof redemption !== "string") watchReservation(posting.customer, redemption);
  return redemption;
}

/** Redeems in one step. `order` is the named order if it was counted: what its refunds put back follows at once. */
export function redeem(posting: Posting, request: NewRedemption, order: NamedOrder | null): Redemption | Refusal {
  const redemption = take(posting, request, "committed", null);
  if (typeof redemption === "string") return redemption;
  noticeRedeemed(posting, redemption);
  if (order !== null) putBack(posting, order);
  return redemption;
}

/** Spends what was reserved. */
export function commit(posting: Posting, redemption: Redemption, order: NamedOrder | null): Refusal | null {
  if (redemption.status !== "reserved") return "not_reserved";
  redemption.status = "committed";
  redemption.dirty = true;
  for (const { lot, amountMinor } of redemption.parts) {
    lot.reservedMinor -= amountMinor;
    lot.redeemedMinor += amountMinor;
    post(posting, lot, kind.redeem, account.reserved, account.redeemed, amountMinor);
  }
  noticeRedeemed(posting, redemption);
  if (order !== null) putBack(posting, order);
  return null;
}

/** Gives back what was reserved; what is past its expiry expires now. */
export function release(posting: Posting, redemption: Redemption): Refusal | null {
  if (redemption.status !== "reserved") return "not_reserved";
  redemption.status = "released";
  redemption.dirty = true;
  giveBack(posting, redemption);
  expireOver(
    posting,
    redemption.parts.map((part) => part.lot),
  );
  return null;
}

/** Names the order that a redemption pays for. The same order again is a no-op, another one refused. */
export function link(posting: Posting, redemption: Redemption, orderId: string, order: NamedOrder | null): Refusal | null {
  if (redemption.orderId === orderId) return null;
  if (redemption.orderId !== null) return "not_reserved";
  if (redemption.status !== "reserved" && redemption.status !== "committed") return "not_reserved";
  redemption.orderId = orderId;
  redemption.dirty = true;
  if (redemption.status === "committed" && order !== null) putBack(posting, order);
  return null;
}

/** The sum that a redemption got back. */
export function restoredMinor(redemption: Redemption): bigint {
  let total = 0n;
  for (const part of redemption.parts) total += part.restoredMinor;
  return total;
}

function take(posting: Posting, request: NewRedemption, status: "reserved" | "committed", expiresAt: number | null): Redemption | Refusal {
  const { customer } = posting;
  if (request.amountMinor > customer.availableMinor) return "insufficient_balance";
  const reserving = status === "reserved";
  const parts: RedemptionPart[] = [];
  let left = request.amountMinor;
  for (const lot of usable(customer)) {
    if (left === 0n) break;
    const amountMinor = min(lot.availableMinor, left);
    left -= amountMinor;
    lot.availableMinor -= amountMinor;
    if (reserving) lot.reservedMinor += amountMinor;
    else lot.redeemedMinor += amountMinor;
    parts.push({ lot, amountMinor, restoredMinor: 0n });
    if (reserving) post(posting, lot, kind.reserve, account.available, account.reserved, amountMinor);
    else post(posting, lot, kind.redeem, account.available, account.redeemed, amountMinor);
  }
  if (left > 0n) throw new Error("an available lot is not loaded");
  const redemption: Redemption = { ...request, status, createdAt: posting.asOf, expiresAt, parts, dirty: true };
  customer.redemptions.set(redemption.redemptionId, redemption);
  return redemption;
}

function noticeRedeemed(posting: Posting, redemption: Redemption): void {
  const { customer, asOf } = posting;
  posting.sink.notice({
    type: "CashbackRedeemed",
    cause: posting.noticeCause ?? { requestId: redemption.redemptionId },
    n: 0,
    customerId: customer.customerId,
    occurredAt: asOf,
    orderId: redemption.orderId,
    amountMinor: redemption.amountMinor,
    balanceMinor: balanceMinor(customer),
  });
}
