import type { Ladder, LadderEdit } from "../story/types.ts";
import { afterDue, fresh, later, moveTo, type Ground, type Member, type Moved } from "./member.ts";
import type { Instant } from "./time.ts";
import { rankOf } from "./windows.ts";

export interface Edited {
  /** What was due under the old rules. */
  readonly due: Moved;
  /** What the new rules then make of it. */
  readonly edit: Moved;
}

/** A ladder edit for one customer: what is due by then under the old rules, then the new ones. */
export function afterEdit(old: Ground, edit: LadderEdit, member: Member, at: Instant): Edited {
  const due = afterDue(old, member, at);
  return { due, edit: underNewRules(old, edit, due.member, Math.max(at, due.member.lastAsOf)) };
}

function underNewRules(old: Ground, edit: LadderEdit, member: Member, asOf: Instant): Moved {
  const unchanged = { member, changes: [] };
  if (!evaluates(old.ladder, edit)) return unchanged;
  const held = rankOf(edit, member.level);
  const removed = member.level !== null && held < 0;
  if (member.pin !== null && !removed) return unchanged;
  const now = fresh({ ...old, ladder: edit }, asOf);
  if (removed || member.level === null || edit.apply === "immediate") return moveTo(member, { ...now, pin: null }, asOf, "rules_changed");
  const rank = rankOf(edit, now.level);
  if (rank < held) return moveTo(member, {}, asOf, "rules_changed");
  const validUntil = rank === held ? later(member.validUntil, now.validUntil) : now.validUntil;
  return moveTo(member, { ...now, validUntil }, asOf, "rules_changed");
}

/** Only thresholds, the set of levels, the metric and the window evaluate customers. */
function evaluates(old: Ladder, edit: Ladder): boolean {
  return whatEvaluates(old) !== whatEvaluates(edit);
}

function whatEvaluates({ settings, levels }: Ladder): string {
  const { metric, window, days } = settings;
  return JSON.stringify([metric, window, window === "rolling_days" ? days : null, levels.map(({ id, threshold }) => [id, threshold])]);
}
