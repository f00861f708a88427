import type { Calendar } from "./calendar.ts";

/** What a customer's orders are measured by. */
export type Metric = "net_spend" | "order_count";
/** Which orders are measured: all, the last `days` local dates, or those of a year. */
export type Window = "lifetime" | "rolling_days" | "calendar_year" | "anniversary_year";

export interface Settings {
  readonly metric: Metric;
  readonly window: Window;
  /** Only with `rolling_days`. */
  readonly days: number | null;
  readonly refundPolicy: "immediate" | "at_period_end";
  readonly downgrade: "drop_to_qualified" | "one_down";
  /** Days between the end of a validity and the fall. */
  readonly graceDays: number;
}

export interface Level {
  readonly id: string;
  readonly name: string;
  /** In the unit of the metric: minor units or orders. */
  readonly threshold: bigint;
  /** Multiplier of cashback, 10,000 is one. */
  readonly cashbackMultiplierBps: number;
}

/** One version of a merchant's ladder. Levels by rising threshold: the index of a level is its rank. */
export interface Ladder {
  readonly version: number;
  readonly settings: Settings;
  readonly levels: readonly Level[];
}

/** A ladder with the merchant's calendar: what every evaluation goes by. */
export interface Rules {
  readonly ladder: Ladder;
  readonly calendar: Calendar;
}

/** What a merchant has before the first ladder: nobody reaches anything. */
export const emptyLadder: Ladder = {
  version: 0,
  settings: {
    metric: "net_spend",
    window: "rolling_days",
    days: 365,
    refundPolicy: "immediate",
    downgrade: "drop_to_qualified",
    graceDays: 0,
  },
  levels: [],
};

/** The place of a level in the ladder, lowest 0; -1 for none and for a level that is not in it. */
export function rankOf(ladder: Ladder, levelId: string | null): number {
  if (levelId === null) return -1;
  const { levels } = ladder;
  for (let rank = 0; rank < levels.length; rank++) if (levels[rank]!.id === levelId) return rank;
  return -1;
}

/** The level at a rank; null below the lowest. */
export function levelAt(ladder: Ladder, rank: number): Level | null {
  return ladder.levels[rank] ?? null;
}

/** The rank of the highest level whose threshold is reached, -1 when the lowest is not. */
export function rankFor(ladder: Ladder, metric: bigint): number {
  let rank = -1;
  for (const level of ladder.levels) {
    if (level.threshold > metric) break;
    rank++;
  }
  return rank;
}

/** True when an edit changes what customers qualify for; names, multipliers and policies do not. */
export function changesQualification(before: Ladder, after: Ladder): boolean {
  const a = before.settings;
  const b = after.settings;
  if (a.metric !== b.metric || a.window !== b.window) return true;
  if (a.window === "rolling_days" && a.days !== b.days) return true;
  if (before.levels.length !== after.levels.length) return true;
  return before.levels.some((level, rank) => {
    const other = after.levels[rank]!;
    return level.id !== other.id || level.threshold !== other.threshold;
  });
}

/** Days of a rolling window. A stored ladder with `rolling_days` always has them. */
export function rollingDays(settings: Settings): number {
  if (settings.days === null) throw new Error("a rolling window without days");
  return settings.days;
}
