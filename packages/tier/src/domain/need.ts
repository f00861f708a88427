import type { Day } from "./calendar.ts";
import { nextDue } from "./due.ts";
import { levelAt, rankOf, type Rules, rollingDays } from "./ladder.ts";
import type { TierState } from "./state.ts";

/** What is known of the events of one customer that are to be handled together. */
export interface Ahead {
  /** No as-of will be later (ms). */
  readonly latestAsOf: number;
  /** Sums over the new orders. */
  readonly netMinor: bigint;
  readonly orders: number;
  /** Earliest local date of a new order; Infinity without one. */
  readonly earliestDay: Day;
  /** True when anything but new orders may happen: refunds, commands, another ladder. */
  readonly refunds: boolean;
}

/**
 * Whether handling these events may look at the customer's days. False lets a program leave them in the database:
 * no order can raise, none touches the end of a validity, nothing is due.
 */
export function needsDays(rules: Rules, state: TierState, ahead: Ahead): boolean {
  const { settings, version } = rules.ladder;
  if (state.ladderVersion !== version) return true;
  if (settings.window === "lifetime") return false;
  const dueAt = nextDue(rules, state);
  const latestAsOf = Math.max(ahead.latestAsOf, state.lastAsOf ?? ahead.latestAsOf);
  if (dueAt !== null && dueAt <= latestAsOf) return true;
  if (state.pin !== null) return false;
  const bounded = { ...state, bound: state.bound + (settings.metric === "net_spend" ? ahead.netMinor : BigInt(ahead.orders)) };
  if (ahead.refunds && !staysLowest(rules, bounded)) return true;
  if (movesAnniversary(rules, state, ahead.earliestDay)) return true;
  if (state.validUntilDay !== null && rules.calendar.localDay(latestAsOf) >= state.validUntilDay) return true;
  const above = levelAt(rules.ladder, rankOf(rules.ladder, state.levelId) + 1);
  return above !== null && bounded.bound >= above.threshold;
}

/** Two years and a leap day more: what a yearly window looks back, with room for a moved anniversary and another time zone. */
const YEARLY_REACH_DAYS = 3 * 366;
const ZONE_SHIFT_DAYS = 2;

/** The earliest local date that handling events or time may look at, if the customer's ladder is in force. */
export function daysNeededFrom(rules: Rules, state: TierState): Day {
  const { settings } = rules.ladder;
  if (state.lastAsOf === null) return Number.NEGATIVE_INFINITY;
  const today = rules.calendar.localDay(state.lastAsOf);
  const earliest = state.validUntilDay === null ? today : Math.min(today, state.validUntilDay - 1);
  const reach = settings.window === "rolling_days" ? rollingDays(settings) : YEARLY_REACH_DAYS;
  return earliest - reach - ZONE_SHIFT_DAYS;
}

/** True when an order on `day` moves the anniversary, and with it every period. */
export function movesAnniversary(rules: Rules, state: TierState, day: Day): boolean {
  return rules.ladder.settings.window === "anniversary_year" && state.firstDay !== null && day < state.firstDay;
}

/** True for a level that everybody qualifies for, when the bound excludes more: an evaluation would change nothing. */
export function staysLowest(rules: Rules, state: TierState): boolean {
  const rank = rankOf(rules.ladder, state.levelId);
  const held = levelAt(rules.ladder, rank);
  const above = levelAt(rules.ladder, rank + 1);
  return held !== null && held.threshold <= 0n && (above === null || state.bound < above.threshold);
}
