import type { Day } from "./calendar.ts";
import { SYSTEM, type Step, type TierChange } from "./change.ts";
import type { DayBook } from "./day-book.ts";
import { closeValidity, evaluatedAfresh, holding, settled } from "./evaluate.ts";
import { levelAt, rankOf, type Rules, rollingDays } from "./ladder.ts";
import { periodOf, qualifiedRank } from "./measure.ts";
import { asOfFor, type TierState } from "./state.ts";

/**
 * The moment (ms) at which time changes something next: the end of a pin, or the end of a validity and its grace.
 * Not later than the true moment while the validity is open. Null: never.
 */
export function nextDue(rules: Rules, state: TierState): number | null {
  if (state.pin !== null) return state.pin.untilAt;
  if (state.validUntilDay === null) return null;
  return rules.calendar.startOfDay(state.validUntilDay + rules.ladder.settings.graceDays);
}

/** Applies what is due at or before `asOf` (ms), each at its own moment. */
export function applyDue(rules: Rules, state: TierState, days: DayBook | null, asOf: number): Step {
  const changes: TierChange[] = [];
  let current = state;
  for (;;) {
    const dueAt = nextDue(rules, current);
    if (dueAt === null || dueAt > asOf) return { state: current, changes };
    if (current.validityOpen) {
      current = closeValidity(rules, current, days);
      continue;
    }
    const step = current.pin === null ? endValidity(rules, current, days, dueAt) : endPin(rules, current, days, dueAt);
    current = step.state;
    changes.push(...step.changes);
  }
}

function endPin(rules: Rules, state: TierState, days: DayBook | null, dueAt: number): Step {
  const asOf = asOfFor(state, dueAt);
  const after = evaluatedAfresh(rules, { ...state, pin: null }, days, rules.calendar.localDay(asOf));
  return settled(rules, state, after, days, { reason: "unpinned", actor: state.pin?.actor ?? SYSTEM, asOf, orderId: null, dueAt });
}

function endValidity(rules: Rules, state: TierState, days: DayBook | null, dueAt: number): Step {
  const asOf = asOfFor(state, dueAt);
  const after = fallen(rules, state, days, rules.calendar.localDay(asOf));
  return settled(rules, state, after, days, { reason: "period_end", actor: SYSTEM, asOf, orderId: null, dueAt });
}

/** The customer after the end of validity and grace: at the qualified level, or one down where that is higher. */
function fallen(rules: Rules, state: TierState, days: DayBook | null, day: Day): TierState {
  const { ladder } = rules;
  const qualified = qualifiedRank(rules, state, days, day);
  const below = rankOf(ladder, state.levelId) - 1;
  const stepwise = ladder.settings.downgrade === "one_down" && ladder.settings.window !== "lifetime";
  if (!stepwise || below <= qualified || state.validUntilDay === null) {
    return holding(rules, state, days, levelAt(ladder, qualified), day);
  }
  const lower = holding(rules, state, days, levelAt(ladder, below), day);
  return { ...lower, validUntilDay: onePeriodAfter(rules, state, state.validUntilDay) };
}

function onePeriodAfter(rules: Rules, state: TierState, day: Day): Day {
  const { settings } = rules.ladder;
  if (settings.window === "rolling_days") return day + rollingDays(settings);
  // Where the validity ended with a year, the next year's end: a leap day comes back.
  const period = periodOf(rules, state, day);
  return period !== null && period.startDay === day ? period.endDay : rules.calendar.addYears(day, 1);
}
