import type { Day } from "./calendar.ts";

/** A level that a person fixed. */
export interface Pin {
  readonly levelId: string;
  /** The instant (ms) it ends; null: until it is taken away. */
  readonly untilAt: number | null;
  readonly actor: string;
  /** Why, in the words of who set it. */
  readonly note: string;
}

/** Everything of a customer but the days (DayBook). Immutable. */
export interface TierState {
  readonly levelId: string | null;
  /** As-of (ms) of the last change of the level. */
  readonly sinceAt: number | null;
  /**
   * First date that the held level does not cover, before grace. Null: no end.
   * While `validityOpen` the true end may be later: orders came since, and nothing hung on it yet.
   */
  readonly validUntilDay: Day | null;
  readonly validityOpen: boolean;
  readonly pin: Pin | null;
  /** The as-of (ms) of what was applied last; null before the first. */
  readonly lastAsOf: number | null;
  /** The version of the ladder that this was evaluated with; the held level is in it. */
  readonly ladderVersion: number;
  /** Earliest local date of an order, cancelled ones too. */
  readonly firstDay: Day | null;
  /** Remaining net of all orders, and how many have something remaining. */
  readonly totalNetMinor: bigint;
  readonly totalOrders: number;
  /**
   * What the customer qualifies by is never above this until the next order, on any date from the last as-of on
   * (in the unit of the ladder's metric; unused while pinned). Keeps most orders from looking at the days.
   */
  readonly bound: bigint;
}

/** A customer before the first order. */
export function newCustomer(ladderVersion: number): TierState {
  return {
    levelId: null,
    sinceAt: null,
    validUntilDay: null,
    validityOpen: false,
    pin: null,
    lastAsOf: null,
    ladderVersion,
    firstDay: null,
    totalNetMinor: 0n,
    totalOrders: 0,
    bound: 0n,
  };
}

/** The latest of the given times (ms) and the customer's last as-of. */
export function asOfFor(state: TierState, ...times: number[]): number {
  return Math.max(state.lastAsOf ?? Number.NEGATIVE_INFINITY, ...times);
}
