import { atLeastZero, sum } from "./shares.ts";
import type { Instant } from "./time.ts";

export type CustomerAccount = "pending" | "available" | "reserved" | "debt";
export type MerchantAccount = "cost" | "redeemed" | "breakage" | "written_off";
export type Account = CustomerAccount | MerchantAccount;

export type TransferKind = "award" | "hold_ended" | "reserve" | "release" | "redeem" | "expire" | "clawback" | "debt_paid" | "put_back";

/** The lot that an order earned with a campaign. What it holds is not kept here: it is the sum of its transfers. */
export interface Lot {
  readonly customerId: string;
  readonly orderId: string;
  readonly campaignId: string;
  readonly availableAt: Instant;
  expiresAt: Instant | null;
  noticed: boolean;
}

export interface Transfer {
  readonly customerId: string;
  readonly debit: Account;
  readonly credit: Account;
  readonly amount: bigint;
  readonly kind: TransferKind;
  /** Of a debt and of a write-off: the lot whose award was clawed back, which is otherwise not touched by it. */
  readonly lot: Lot;
  readonly asOf: Instant;
}

/** Credits less debits. */
export function balance(transfers: Iterable<Transfer>, account: Account): bigint {
  let total = 0n;
  for (const { debit, credit, amount } of transfers) {
    if (credit === account) total += amount;
    if (debit === account) total -= amount;
  }
  return total;
}

export interface LotSums {
  readonly granted: bigint;
  readonly pending: bigint;
  readonly available: bigint;
  readonly reserved: bigint;
  readonly redeemed: bigint;
  readonly expired: bigint;
  readonly reversed: bigint;
}

/** What became of a lot, from the transfers that name it. */
export function sumsOf(lot: Lot, all: readonly Transfer[]): LotSums {
  const own = all.filter((transfer) => transfer.lot === lot && transfer.debit !== "debt" && transfer.debit !== "written_off");
  const ofKind = (kind: TransferKind) => sum(own.filter((transfer) => transfer.kind === kind).map(({ amount }) => amount));
  return {
    granted: ofKind("award"),
    pending: balance(own, "pending"),
    available: balance(own, "available"),
    reserved: balance(own, "reserved"),
    redeemed: balance(own, "redeemed"),
    expired: balance(own, "breakage"),
    reversed: ofKind("clawback") + ofKind("debt_paid"),
  };
}

/** Next to expire first, those without end last; then in the order in which they were granted, which `lots` is in. */
export function byExpiry(lots: readonly Lot[]): Lot[] {
  return lots.toSorted((a, b) => (a.expiresAt ?? Infinity) - (b.expiresAt ?? Infinity) || 0);
}

export function debtOf(transfers: readonly Transfer[]): bigint {
  return atLeastZero(-balance(transfers, "debt"));
}
