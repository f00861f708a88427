import type { ReserveInput } from "../story/types.ts";
import { available, balanceMinor, expire, hasExpired, lotsOf, notify, payDebt, post, sums, type Book, type Redemption } from "./book.ts";
import { byExpiry } from "./lots.ts";
import { netOf, remainingNet, type Order } from "./orders.ts";
import { dayMs, type Instant } from "./time.ts";

const restoredLotDays = 30;

type RedeemInput = Omit<ReserveInput, "ttlSeconds">;

/** Null when there is not enough. */
export function reserve(book: Book, input: ReserveInput, asOf: Instant): Redemption | null {
  const parts = takeFromLots(book, input, "reserved", "reserve", asOf);
  return parts && remember(book, input, parts, asOf + input.ttlSeconds * 1000, "reserved");
}

/** In one step: nothing is reserved on the way. Null when there is not enough. */
export function redeem(book: Book, input: RedeemInput, asOf: Instant, order: Order | null): Redemption | null {
  const parts = takeFromLots(book, input, "redeemed", "redeem", asOf);
  if (parts === null) return null;
  const redemption = remember(book, input, parts, null, "committed");
  tellRedeemed(book, redemption, asOf);
  if (order !== null) putBack(book, order, asOf);
  return redemption;
}

/** The lot that expires next is used first. */
function takeFromLots(
  book: Book,
  { customerId, amountMinor }: RedeemInput,
  credit: "reserved" | "redeemed",
  kind: "reserve" | "redeem",
  asOf: Instant,
): Redemption["parts"] | null {
  let left = BigInt(amountMinor);
  if (left > available(book, customerId)) return null;
  const parts = [];
  for (const lot of byExpiry(lotsOf(book, customerId))) {
    const there = sums(book, lot).available;
    const amount = there < left ? there : left;
    if (amount === 0n) continue;
    post(book, lot, "available", credit, amount, kind, asOf);
    parts.push({ lot, amount, restored: 0n });
    left -= amount;
  }
  return parts;
}

function remember(
  book: Book,
  { id, customerId, orderId, amountMinor }: RedeemInput,
  parts: Redemption["parts"],
  expiresAt: Instant | null,
  status: Redemption["status"],
): Redemption {
  const redemption = { id, customerId, orderId: orderId ?? null, amount: BigInt(amountMinor), expiresAt, parts, status };
  book.redemptions.push(redemption);
  return redemption;
}

export function commit(book: Book, redemption: Redemption, asOf: Instant, order: Order | null): void {
  for (const { lot, amount } of redemption.parts) post(book, lot, "reserved", "redeemed", amount, "redeem", asOf);
  redemption.status = "committed";
  tellRedeemed(book, redemption, asOf);
  if (order !== null) putBack(book, order, asOf);
}

/** All of a reservation becomes available again and pays a debt first, but for what has expired meanwhile. */
function giveBack(book: Book, redemption: Redemption, asOf: Instant, status: "released" | "lapsed"): void {
  redemption.status = status;
  for (const { lot, amount } of redemption.parts) {
    post(book, lot, "reserved", "available", amount, "release", asOf);
    if (!hasExpired(lot, asOf)) payDebt(book, lot, amount, asOf);
  }
}

export function release(book: Book, redemption: Redemption, asOf: Instant): void {
  giveBack(book, redemption, asOf, "released");
  for (const { lot } of redemption.parts) if (hasExpired(lot, asOf)) expire(book, lot, asOf);
}

/** What has expired meanwhile is due at the same moment, after every other reservation that lapses then. */
export function lapse(book: Book, redemption: Redemption, asOf: Instant): void {
  giveBack(book, redemption, asOf, "lapsed");
}

function tellRedeemed(book: Book, { customerId, orderId, amount }: Redemption, asOf: Instant): void {
  notify(book, "CashbackRedeemed", customerId, asOf, {
    orderId,
    amountMinor: Number(amount),
    balanceMinor: Number(balanceMinor(book, customerId)),
  });
}

/**
 * What was paid with cashback for the refunded part of an order goes back into the lots that it came from, last used first.
 * @returns how much went back now, in minor units
 */
export function putBack(book: Book, order: Order, asOf: Instant): bigint {
  const net = netOf(order);
  const redemptions = book.redemptions.filter(
    ({ customerId, orderId, status }) => status === "committed" && orderId === order.orderId && customerId === order.customerId,
  );
  if (net === 0n || redemptions.length === 0) return 0n;
  const parts = redemptions.flatMap(({ parts }) => parts);
  const paid = parts.reduce((total, { amount }) => total + amount, 0n);
  const due = (paid * (net - remainingNet(order))) / net - parts.reduce((total, { restored }) => total + restored, 0n);
  let left = due;
  for (const part of parts.toReversed()) {
    const there = part.amount - part.restored;
    const amount = there < left ? there : left;
    if (amount === 0n) continue;
    part.restored += amount;
    left -= amount;
    if (hasExpired(part.lot, asOf)) part.lot.expiresAt = asOf + restoredLotDays * dayMs;
    post(book, part.lot, "redeemed", "available", amount, "put_back", asOf);
    payDebt(book, part.lot, amount, asOf);
  }
  return due;
}
