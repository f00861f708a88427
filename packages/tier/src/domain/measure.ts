import { anniversaryYear, calendarYear, type Day, type Period } from "./calendar.ts";
import type { DayBook } from "./day-book.ts";
import { type Level, rankFor, type Rules, rollingDays } from "./ladder.ts";
import type { TierState } from "./state.ts";

/** What the windows that end on a date come to. `last` is null unless the window is yearly. */
export interface Measure {
  readonly current: bigint;
  readonly last: bigint | null;
}

/** The days, where they are needed; a program loads them beforehand (needsDays). */
function known(days: DayBook | null): DayBook {
  if (days === null) throw new Error("the days of a customer are needed and were not loaded");
  return days;
}

/** The metric of the window that ends on `day`, and of the period before it. Orders dated later do not count. */
export function measure(rules: Rules, state: TierState, days: DayBook | null, day: Day): Measure {
  const { metric, window } = rules.ladder.settings;
  if (window === "lifetime") return { current: lifetime(rules, state, days, day), last: null };
  if (window === "rolling_days") {
    return { current: known(days).sum(metric, day - rollingDays(rules.ladder.settings) + 1, day), last: null };
  }
  const period = periodOf(rules, state, day);
  if (period === null) return { current: 0n, last: 0n };
  return {
    current: known(days).sum(metric, period.startDay, day),
    last: known(days).sum(metric, period.previousStartDay, period.startDay - 1),
  };
}

function lifetime(rules: Rules, state: TierState, days: DayBook | null, day: Day): bigint {
  const { metric } = rules.ladder.settings;
  const total = metric === "net_spend" ? state.totalNetMinor : BigInt(state.totalOrders);
  return days === null ? total : total - days.sum(metric, Math.max(day + 1, days.fromDay));
}

/** The year around `day`; null in an anniversary window before the first order. */
export function periodOf(rules: Rules, state: TierState, day: Day): Period | null {
  if (rules.ladder.settings.window === "calendar_year") return calendarYear(rules.calendar, day);
  return state.firstDay === null ? null : anniversaryYear(rules.calendar, state.firstDay, day);
}

/** What a customer qualifies by: in yearly windows the better of the current and the last period. */
function qualifyingMetric(measured: Measure): bigint {
  return measured.last !== null && measured.last > measured.current ? measured.last : measured.current;
}

/** The rank that a customer qualifies for on a date. */
export function qualifiedRank(rules: Rules, state: TierState, days: DayBook | null, day: Day): number {
  return rankFor(rules.ladder, qualifyingMetric(measure(rules, state, days, day)));
}

/** The least upper bound of what a customer qualifies by on `day` and later, without further orders (TierState.bound). */
export function boundFrom(rules: Rules, state: TierState, days: DayBook | null, day: Day): bigint {
  const { metric, window } = rules.ladder.settings;
  if (window === "lifetime") return metric === "net_spend" ? state.totalNetMinor : BigInt(state.totalOrders);
  if (window === "rolling_days") return known(days).sum(metric, day - rollingDays(rules.ladder.settings) + 1);
  const period = periodOf(rules, state, day);
  if (period === null) return 0n;
  const last = known(days).sum(metric, period.previousStartDay, period.startDay - 1);
  const current = known(days).sum(metric, period.startDay);
  return last > current ? last : current;
}

/** How long a level holds: until a date, without end, or not at all because the customer does not qualify. */
export type Hold = { readonly untilDay: Day | null } | "unqualified";

/** How long `level` holds by what is measured on `day`: the first date that it does not cover. */
export function holdOf(rules: Rules, state: TierState, days: DayBook | null, level: Level, day: Day): Hold {
  const { metric, window } = rules.ladder.settings;
  if (window === "lifetime") {
    return lifetime(rules, state, days, day) >= level.threshold ? { untilDay: null } : "unqualified";
  }
  if (level.threshold <= 0n) return { untilDay: null };
  if (window === "rolling_days") {
    const untilDay = known(days).firstShortfall(metric, rollingDays(rules.ladder.settings), level.threshold, day);
    return untilDay === null ? "unqualified" : { untilDay };
  }
  return yearlyHold(rules, state, days, level, day);
}

function yearlyHold(rules: Rules, state: TierState, days: DayBook | null, level: Level, day: Day): Hold {
  const period = periodOf(rules, state, day);
  if (period === null) return "unqualified";
  const { current, last } = measure(rules, state, days, day);
  if (current >= level.threshold) return { untilDay: period.nextEndDay };
  return last !== null && last >= level.threshold ? { untilDay: period.endDay } : "unqualified";
}
