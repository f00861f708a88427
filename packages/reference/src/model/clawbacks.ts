import { targetOf, byPriority, type Award } from "./award.ts";
import { balanceMinor, lotsOf, notify, post, sums, type Book } from "./book.ts";
import { byExpiry, type Lot } from "./lots.ts";
import type { Order } from "./orders.ts";
import { sum } from "./shares.ts";
import type { Instant } from "./time.ts";

/** What an award is worth after the clawbacks so far. */
export function currentOf(book: Book, award: Award): bigint {
  return award.awarded - sum(book.clawbacks.filter((clawback) => clawback.award === award).map(({ amount }) => amount));
}

/** Takes back what the rest of an order no longer earns; one notice of all. */
export function clawBack(book: Book, order: Order, occurredAt: Instant, asOf: Instant): void {
  let reversed = 0n;
  for (const award of book.awards.filter((award) => award.order === order).sort((a, b) => byPriority(a.campaign, b.campaign))) {
    const amount = currentOf(book, award) - targetOf(award);
    if (amount < 0n) throw new Error("An award never grows");
    if (amount > 0n) take(book, award, amount, asOf);
    reversed += amount;
  }
  if (reversed === 0n) return;
  const { customerId, orderId } = order;
  const balance = Number(balanceMinor(book, customerId));
  notify(book, "CashbackReversed", customerId, occurredAt, { orderId, amountMinor: Number(reversed), balanceMinor: balance });
}

/** Own lot: pending, available, expired; then other available lots, next to expire first; then a debt or a write-off. */
function take(book: Book, award: Award, amount: bigint, asOf: Instant): void {
  const own = lotsOf(book, award.order.customerId).find((lot) => isLotOf(lot, award))!;
  let left = amount;
  const from = (lot: Lot, account: "pending" | "available" | "breakage", there: bigint): bigint => {
    const taken = there < left ? there : left;
    post(book, lot, account, "cost", taken, "clawback", asOf);
    left -= taken;
    return taken;
  };
  const before = sums(book, own);
  const pending = from(own, "pending", before.pending);
  const available = from(own, "available", before.available);
  const expired = from(own, "breakage", before.expired);
  let otherLots = 0n;
  for (const lot of byExpiry(lotsOf(book, own.customerId))) if (lot !== own) otherLots += from(lot, "available", sums(book, lot).available);
  const allowed = book.merchant.clawbackPolicy === "allow_negative";
  post(book, own, allowed ? "debt" : "written_off", "cost", left, "clawback", asOf);
  const rest = { debt: allowed ? left : 0n, writtenOff: allowed ? 0n : left };
  book.clawbacks.push({ award, amount, pending, available, expired, otherLots, ...rest });
}

function isLotOf(lot: Lot, { order, campaign }: Award): boolean {
  return lot.orderId === order.orderId && lot.campaignId === campaign.id;
}
