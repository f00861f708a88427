import type { Day } from "./calendar.ts";
import { nextLevel } from "./change.ts";
import type { DayBook } from "./day-book.ts";
import { closeValidity, heldLevel } from "./evaluate.ts";
import type { Level, Rules } from "./ladder.ts";
import { measure } from "./measure.ts";
import type { TierState } from "./state.ts";

/** What a customer is shown: the level as stored, the metric by the date of the clock. */
export interface TierView {
  readonly level: Level | null;
  readonly sinceAt: number | null;
  readonly validUntilDay: Day | null;
  readonly pinned: boolean;
  readonly metric: bigint;
  readonly lastPeriodMetric: bigint | null;
  readonly next: { readonly level: Level; readonly missing: bigint } | null;
}

/** Reads a customer on the local date of `atMs`; applies nothing that is due. */
export function viewOf(rules: Rules, state: TierState, days: DayBook | null, atMs: number): TierView {
  const measured = measure(rules, state, days, rules.calendar.localDay(atMs));
  return {
    level: heldLevel(rules, state),
    sinceAt: state.sinceAt,
    validUntilDay: closeValidity(rules, state, days).validUntilDay,
    pinned: state.pin !== null,
    metric: measured.current,
    lastPeriodMetric: measured.last,
    next: nextLevel(rules.ladder, state.levelId, measured.current),
  };
}
