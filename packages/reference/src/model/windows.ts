import type { Ladder, Level, Settings } from "../story/types.ts";
import { remainingNet, type Order } from "./orders.ts";
import { dayFrom, inYear, localDay, yearOf, type Day } from "./time.ts";

/** What tiers know of one customer's orders: when each counts and with how much. */
export interface Counted {
  readonly day: Day;
  readonly net: bigint;
}

/** Half-open. */
export interface Period {
  readonly from: Day;
  readonly to: Day;
}

export function countedOf(orders: readonly Order[], zone: string): Counted[] {
  return orders.map((order) => ({ day: localDay(order.occurredAt, zone), net: remainingNet(order) }));
}

function isYearly(settings: Settings): boolean {
  return settings.window === "calendar_year" || settings.window === "anniversary_year";
}

/** The year that holds this day; null in an anniversary year of a customer without orders. */
export function yearAround(settings: Settings, counted: readonly Counted[], day: Day): Period | null {
  if (settings.window === "calendar_year") return { from: dayFrom(yearOf(day), 1, 1), to: dayFrom(yearOf(day) + 1, 1, 1) };
  if (counted.length === 0) return null;
  const first = Math.min(...counted.map(({ day }) => day));
  let year = yearOf(day) + 1;
  while (inYear(first, year) > day) year -= 1;
  return { from: inYear(first, year), to: inYear(first, year + 1) };
}

/** The metric of the window that ends on this day. */
export function metricOn(settings: Settings, counted: readonly Counted[], day: Day): bigint {
  return measure(settings, counted, { from: windowStart(settings, counted, day), to: day + 1 });
}

/** The metric of the year before the one that holds this day; null unless the window is yearly. */
export function lastPeriodMetric(settings: Settings, counted: readonly Counted[], day: Day): bigint | null {
  if (!isYearly(settings)) return null;
  const now = yearAround(settings, counted, day);
  if (now === null) return 0n;
  const before = yearAround(settings, counted, now.from - 1)!;
  return measure(settings, counted, before);
}

function windowStart(settings: Settings, counted: readonly Counted[], day: Day): Day {
  switch (settings.window) {
    case "lifetime":
      return -Infinity;
    case "rolling_days":
      return day - settings.days! + 1;
    case "calendar_year":
    case "anniversary_year":
      return yearAround(settings, counted, day)?.from ?? day;
  }
}

function measure(settings: Settings, counted: readonly Counted[], { from, to }: Period): bigint {
  let metric = 0n;
  for (const { day, net } of counted) {
    if (day < from || day >= to) continue;
    if (settings.metric === "net_spend") metric += net;
    else if (net > 0n) metric += 1n;
  }
  return metric;
}

export function rankOf({ levels }: Ladder, levelId: string | null): number {
  return levels.findIndex(({ id }) => id === levelId);
}

function reaches(level: Level, metric: bigint): boolean {
  return metric >= BigInt(level.threshold);
}

/** The highest level whose threshold is reached on this day; in yearly windows by the better of the current and the last year. */
export function qualifiedOn(ladder: Ladder, counted: readonly Counted[], day: Day): Level | null {
  const now = metricOn(ladder.settings, counted, day);
  const before = lastPeriodMetric(ladder.settings, counted, day) ?? now;
  const metric = before > now ? before : now;
  return ladder.levels.findLast((level) => reaches(level, metric)) ?? null;
}

/** The first day not covered by a level that is qualified for on `day`; null where it has no end. */
export function validUntil(ladder: Ladder, level: Level | null, counted: readonly Counted[], day: Day): Day | null {
  const { settings } = ladder;
  if (level === null || level.threshold === 0 || settings.window === "lifetime") return null;
  if (settings.window === "rolling_days") return firstDayBelow(settings, level, counted, day);
  const year = yearAround(settings, counted, day)!;
  return reaches(level, metricOn(settings, counted, day)) ? yearAround(settings, counted, year.to)!.to : year.to;
}

/** The window loses an order `days` after its date, so only those days need to be looked at. */
function firstDayBelow(settings: Settings, level: Level, counted: readonly Counted[], day: Day): Day {
  const leaving = counted.map((order) => order.day + settings.days!).filter((candidate) => candidate > day);
  const ends = leaving.sort((a, b) => a - b).find((candidate) => !reaches(level, metricOn(settings, counted, candidate)));
  if (ends === undefined) throw new Error("A level that is not qualified for has no validity");
  return ends;
}
