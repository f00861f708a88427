import { type Cause, directionOf, NO_CHANGES, type Step, type TierChange } from "./change.ts";
import type { DayBook } from "./day-book.ts";
import { applyDue } from "./due.ts";
import { closeValidity, evaluatedAfresh, extended, heldLevel, settled } from "./evaluate.ts";
import { changesQualification, type Ladder, type Level, rankOf, type Rules } from "./ladder.ts";
import { qualifiedRank } from "./measure.ts";
import { asOfFor, type TierState } from "./state.ts";

export type Apply = "immediate" | "grandfather";

/** A new version of the ladder and how it meets those who hold a level. */
export interface LadderEdit {
  readonly ladder: Ladder;
  readonly apply: Apply;
  readonly actor: string;
  /** When it was made (ms). */
  readonly asOf: number;
}

/**
 * Brings a customer from the version that it was evaluated with to the newest: before each edit what is due by it under
 * the old rules, then the edit, each as of its own time. `ladder` is the one the customer was evaluated with;
 * `edits` are the versions after it, oldest first.
 */
export function applyEdits(rules: Rules, state: TierState, days: DayBook | null, edits: readonly LadderEdit[]): Step {
  const changes: TierChange[] = [];
  let current = state;
  let inForce = rules;
  for (const edit of edits) {
    const due = applyDue(inForce, current, days, edit.asOf);
    const step = applyEdit(inForce, due.state, days, edit);
    changes.push(...due.changes, ...step.changes);
    current = step.state;
    inForce = { ladder: edit.ladder, calendar: rules.calendar };
  }
  return { state: current, changes };
}

/** One edit; what is due by it must have been applied under the old rules. */
function applyEdit(rules: Rules, state: TierState, days: DayBook | null, edit: LadderEdit): Step {
  const after: Rules = { ...rules, ladder: edit.ladder };
  const renewed: TierState = { ...state, ladderVersion: edit.ladder.version };
  if (!changesQualification(rules.ladder, edit.ladder)) return { state: renewed, changes: NO_CHANGES };
  const removed = state.levelId !== null && rankOf(edit.ladder, state.levelId) < 0;
  if (state.pin !== null && !removed) return { state: renewed, changes: NO_CHANGES };
  const asOf = asOfFor(state, edit.asOf);
  const cause: Cause = { reason: "rules_changed", actor: edit.actor, asOf, orderId: null, dueAt: null };
  const day = rules.calendar.localDay(asOf);
  const unpinned: TierState = { ...renewed, pin: null };
  const next =
    edit.apply === "grandfather" && !removed
      ? grandfathered(rules, after, unpinned, days, day)
      : evaluatedAfresh(after, unpinned, days, day);
  return settled(after, state, next, days, cause, heldLevel(rules, state));
}

/** Nobody falls before the validity that they have; no end of validity is held for good. */
function grandfathered(before: Rules, after: Rules, state: TierState, days: DayBook | null, day: number): TierState {
  const level = heldLevel(after, state);
  const afresh = evaluatedAfresh(after, state, days, day);
  if (level === null || qualifiedRank(after, state, days, day) > rankOf(after.ladder, level.id)) return afresh;
  const held = closeValidity(before, state, days);
  return extended(after, { ...held, bound: afresh.bound }, days, level, day);
}

export type PreviewEffect = "up" | "down" | "stay";

/** What an edit would do to a customer, after what is due by it. `state` and `days` are left alone. */
export function previewEdit(rules: Rules, state: TierState, days: DayBook | null, edit: LadderEdit): PreviewEffect {
  const { state: before } = applyDue(rules, state, days, edit.asOf);
  const { state: after } = applyEdit(rules, before, days, edit);
  if (before.levelId === after.levelId) return "stay";
  const from = heldLevel(rules, before);
  const to = heldLevel({ ...rules, ladder: edit.ladder }, after);
  return effectOf(edit.ladder, from, to);
}

function effectOf(ladder: Ladder, from: Level | null, to: Level | null): PreviewEffect {
  return directionOf(ladder, from, to) === "PROMOTED" ? "up" : "down";
}
