import { type Ladder, type Level, levelAt, rankOf } from "./ladder.ts";
import type { TierState } from "./state.ts";

export type ChangeReason = "order" | "refund" | "period_end" | "rules_changed" | "pinned" | "unpinned";
export type Direction = "PROMOTED" | "DEMOTED" | "OTHER";

/** What made something happen to a customer, and as of when (ms). */
export interface Cause {
  readonly reason: ChangeReason;
  readonly actor: string;
  readonly asOf: number;
  readonly orderId: string | null;
  /** The moment (ms) at which time brought it about; the as-of may be later. Null for what an event or a person did. */
  readonly dueAt: number | null;
}

/** A change of a customer's level id: a row of the history and a TierChanged. */
export interface TierChange extends Cause {
  readonly from: Level | null;
  readonly to: Level | null;
  readonly direction: Direction;
  readonly ruleVersion: number;
  /** What the customer was measured at on the as-of date, and in a yearly window the period before. */
  readonly metric: bigint;
  readonly lastPeriodMetric: bigint | null;
  /** The level above the new one, null at the top. */
  readonly next: Level | null;
  /** What is missing for `next` by the metric of the as-of date, at least 0. */
  readonly toNext: bigint | null;
}

/** A new state and the changes of the level on the way to it, in order. */
export interface Step {
  readonly state: TierState;
  readonly changes: readonly TierChange[];
}

export const SYSTEM = "system";
export const NO_CHANGES: readonly TierChange[] = [];

/** Promoted or demoted, by rank in `ladder`; a removed level ranks by the threshold that it had. */
export function directionOf(ladder: Ladder, from: Level | null, to: Level | null): Direction {
  const a = standing(ladder, from);
  const b = standing(ladder, to);
  if (a === b) return "OTHER";
  return a < b ? "PROMOTED" : "DEMOTED";
}

// None is below a threshold of 0.
function standing(ladder: Ladder, level: Level | null): bigint {
  if (level === null) return -1n;
  return (ladder.levels[rankOf(ladder, level.id)] ?? level).threshold;
}

/** The level above the held one and what is missing for it. */
export function nextLevel(
  ladder: Ladder,
  levelId: string | null,
  metric: bigint,
): { readonly level: Level; readonly missing: bigint } | null {
  const level = levelAt(ladder, rankOf(ladder, levelId) + 1);
  if (level === null) return null;
  return { level, missing: level.threshold > metric ? level.threshold - metric : 0n };
}
