import type { Award, Clawback, NotEligible, NotEligibleReason } from "./domain/index.ts";

/** A JSON number, or text above 2^53 - 1. */
type Amount = number | string;

export interface StoredAward {
  /** Campaign (surrogate), version, priority, rate, multiplier. */
  readonly c: number;
  readonly v: number;
  readonly p: number;
  readonly r: number;
  readonly m: number;
  /** Order cap. */
  readonly oc: Amount | null;
  /** Positions of the lines. */
  readonly l: readonly number[];
  readonly b: Amount;
  readonly e: Amount;
  /** After order cap, customer cap, budget. */
  readonly ao: Amount | null;
  readonly ac: Amount | null;
  readonly ab: Amount | null;
  readonly a: Amount;
  /** Now, after refunds. */
  readonly n: Amount;
  /** The lot, if something was awarded. */
  readonly lot: number | null;
}

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
  return {
    a: awards.map(({ award, lot }) => ({
      c: award.campaign,
      v: award.version,
      p: award.priority,
      r: award.rateBps,
      m: award.multiplierBps,
      oc: putOrNull(award.perOrderCapMinor),
      l: award.lines,
      b: put(award.baseMinor),
      e: put(award.earnedMinor),
      ao: putOrNull(award.afterOrderCapMinor),
      ac: putOrNull(award.afterCustomerCapMinor),
      ab: putOrNull(award.afterBudgetMinor),
      a: put(award.awardedMinor),
      n: put(award.currentMinor),
      lot,
    })),
    x: notEligible.map(({ campaign, reason }) => [campaign, reason]),
  };
}

/** The same awards after refunds. */
export function storeCurrent(stored: StoredAwards, awards: readonly BookedAward[]): StoredAwards {
  return { a: stored.a.map((one, i) => ({ ...one, n: put(awards[i]?.award.currentMinor ?? 0n) })), x: stored.x };
}

export function readAwards(stored: StoredAwards | null, campaignId: (campaign: number) => string): BookedAward[] {
  return (stored?.a ?? []).map((one) => ({
    award: {
      campaign: one.c,
      campaignId: campaignId(one.c),
      version: one.v,
      priority: one.p,
      rateBps: one.r,
      multiplierBps: one.m,
      perOrderCapMinor: takeOrNull(one.oc),
      lines: one.l,
      baseMinor: BigInt(one.b),
      earnedMinor: BigInt(one.e),
      afterOrderCapMinor: takeOrNull(one.ao),
      afterCustomerCapMinor: takeOrNull(one.ac),
      afterBudgetMinor: takeOrNull(one.ab),
      awardedMinor: BigInt(one.a),
      currentMinor: BigInt(one.n),
    },
    lot: one.lot,
  }));
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
