import { type Cause, directionOf, nextLevel, NO_CHANGES, type TierChange } from "./change.ts";
import type { Day } from "./calendar.ts";
import type { DayBook } from "./day-book.ts";
import { type Level, levelAt, rankOf, type Rules } from "./ladder.ts";
import { boundFrom, holdOf, measure, qualifiedRank } from "./measure.ts";
import type { TierState } from "./state.ts";

/** The held level, null for none. A held level is always in the ladder it was evaluated with. */
export function heldLevel(rules: Rules, state: TierState): Level | null {
  return levelAt(rules.ladder, rankOf(rules.ladder, state.levelId));
}

/** What a customer qualifies for on a date, and nothing that was held before. */
export function evaluatedAfresh(rules: Rules, state: TierState, days: DayBook | null, day: Day): TierState {
  const level = levelAt(rules.ladder, qualifiedRank(rules, state, days, day));
  return holding(rules, state, days, level, day);
}

/** The same customer with a level that is qualified for on `day`. */
export function holding(rules: Rules, state: TierState, days: DayBook | null, level: Level | null, day: Day): TierState {
  const hold = level === null ? "unqualified" : holdOf(rules, state, days, level, day);
  return {
    ...state,
    levelId: level?.id ?? null,
    validUntilDay: hold === "unqualified" ? null : hold.untilDay,
    validityOpen: false,
    bound: boundFrom(rules, state, days, day),
  };
}

/**
 * Finds the true end of an open validity. Orders before the end that was known can only have moved it on,
 * and only those that still qualify on the last date before it; so nothing is lost by looking this late.
 */
export function closeValidity(rules: Rules, state: TierState, days: DayBook | null): TierState {
  const { validUntilDay } = state;
  const level = heldLevel(rules, state);
  if (!state.validityOpen || validUntilDay === null || level === null) return state;
  return extended(rules, { ...state, validityOpen: false }, days, level, validUntilDay - 1);
}

/** The validity with what `level` holds by on `day`; never shorter than before. */
export function extended(rules: Rules, state: TierState, days: DayBook | null, level: Level, day: Day): TierState {
  const { validUntilDay } = state;
  if (validUntilDay === null) return state;
  const hold = holdOf(rules, state, days, level, day);
  if (hold === "unqualified") return state;
  const further = hold.untilDay === null || hold.untilDay > validUntilDay;
  return further ? { ...state, validUntilDay: hold.untilDay } : state;
}

/**
 * Stamps the as-of, and records the change when the level id is another one than `before`.
 * `from` is given where the old level is no longer in the ladder.
 */
export function settled(
  rules: Rules,
  before: TierState,
  after: TierState,
  days: DayBook | null,
  cause: Cause,
  from: Level | null = heldLevel(rules, before),
): { readonly state: TierState; readonly changes: readonly TierChange[] } {
  if (before.levelId === after.levelId) return { state: { ...after, lastAsOf: cause.asOf }, changes: NO_CHANGES };
  const state = { ...after, sinceAt: cause.asOf, lastAsOf: cause.asOf };
  const to = heldLevel(rules, state);
  const { current, last } = measure(rules, state, days, rules.calendar.localDay(cause.asOf));
  const next = nextLevel(rules.ladder, state.levelId, current);
  const change: TierChange = {
    ...cause,
    from,
    to,
    direction: directionOf(rules.ladder, from, to),
    ruleVersion: rules.ladder.version,
    metric: current,
    lastPeriodMetric: last,
    next: next?.level ?? null,
    toNext: next?.missing ?? null,
  };
  return { state, changes: [change] };
}
