import type { Award, Clawback, NotEligible, NotEligibleReason } from "./domain/index.ts";

/** A JSON number, or text above 2^53 - 1. */
type Amount = number | string;

/**
 * An award as a JSON array, since every order has them:
 * campaign (surrogate), version, priority, rate, multiplier, order cap, positions of its lines, base, earned, after order cap,
 * after customer cap, after budget, awarded, now (after refunds), lot (null when nothing was awarded).
 */
export type StoredAward = readonly [
  campaign: number,
  version: number,
  priority: number,
  rateBps: number,
  multiplierBps: number,
  orderCap: Amount | null,
  lines: readonly number[],
  base: Amount,
  earned: Amount,
  afterOrderCap: Amount | null,
  afterCustomerCap: Amount | null,
  afterBudget: Amount | null,
  awarded: Amount,
  current: Amount,
  lot: number | null,
];

/** Positions in a stored award that SQL reads. */
export const awardField = { campaign: 0, awarded: 12, current: 13 } as const;

/** Column `awards` of an order. `x`: campaigns that did not judge it, with the reason. */
export interface StoredAwards {
  readonly a: readonly StoredAward[];
  readonly x: readonly (readonly [number, NotEligibleReason])[];
}

/** Column `clawbacks` of a refund: campaign, amount, pending, available, expired, other lots, debt, written off. */
export type StoredClawback = readonly [number, Amount, Amount, Amount, Amount, Amount, Amount, Amount];

/** An award with the lot that holds it. */
export interface BookedAward {
  readonly award: Award;
  readonly lot: number | null;
}

function put(amount: bigint): Amount {
  return amount <= 9_007_199_254_740_991n ? Number(amount) : String(amount);
}

function putOrNull(amount: bigint | null): Amount | null {
  return amount === null ? null : put(amount);
}

function takeOrNull(amount: Amount | null): bigint | null {
  return amount === null ? null : BigInt(amount);
}

export function storeAwards(awards: readonly BookedAward[], notEligible: readonly NotEligible[]): StoredAwards {
  return { a: awards.map(storeAward), x: notEligible.map(({ campaign, reason }) => [campaign, reason]) };
}

function storeAward({ award, lot }: BookedAward): StoredAward {
  return [
    award.campaign,
    award.version,
    award.priority,
    award.rateBps,
    award.multiplierBps,
    putOrNull(award.perOrderCapMinor),
    award.lines,
    put(award.baseMinor),
    put(award.earnedMinor),
    putOrNull(award.afterOrderCapMinor),
    putOrNull(award.afterCustomerCapMinor),
    putOrNull(award.afterBudgetMinor),
    put(award.awardedMinor),
    put(award.currentMinor),
    lot,
  ];
}

/** The same awards after refunds. */
export function storeCurrent(stored: StoredAwards, awards: readonly BookedAward[]): StoredAwards {
  return { a: awards.map(storeAward), x: stored.x };
}

export function readAwards(stored: StoredAwards | null, campaignId: (campaign: number) => string): BookedAward[] {
  return (stored?.a ?? []).map(
    ([
      campaign,
      version,
      priority,
      rateBps,
      multiplierBps,
      orderCap,
      lines,
      base,
      earned,
      afterOrderCap,
      afterCustomerCap,
      afterBudget,
      awarded,
      current,
      lot,
    ]) => ({
      award: {
        campaign,
        campaignId: campaignId(campaign),
        version,
        priority,
        rateBps,
        multiplierBps,
        perOrderCapMinor: takeOrNull(orderCap),
        lines,
        baseMinor: BigInt(base),
        earnedMinor: BigInt(earned),
        afterOrderCapMinor: takeOrNull(afterOrderCap),
        afterCustomerCapMinor: takeOrNull(afterCustomerCap),
        afterBudgetMinor: takeOrNull(afterBudget),
        awardedMinor: BigInt(awarded),
        currentMinor: BigInt(current),
      },
      lot,
    }),
  );
}

/** Of an award: its lot and what it is worth now. */
export function lotAndCurrent(stored: StoredAward): readonly [lot: number | null, currentMinor: bigint] {
  return [stored[14], BigInt(stored[13])];
}

export function storeClawback(clawback: Clawback): StoredClawback {
  return [
    clawback.award.campaign,
    put(clawback.amountMinor),
    put(clawback.pendingMinor),
    put(clawback.availableMinor),
    put(clawback.expiredMinor),
    put(clawback.otherLotsMinor),
    put(clawback.debtMinor),
    put(clawback.writtenOffMinor),
  ];
}
