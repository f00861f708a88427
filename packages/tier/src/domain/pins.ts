import type { Step } from "./change.ts";
import type { DayBook } from "./day-book.ts";
import { evaluatedAfresh, settled } from "./evaluate.ts";
import { type Level, levelAt, rankOf, type Rules } from "./ladder.ts";
import type { TierState } from "./state.ts";

/** Why a command is refused; nothing of it is applied. */
export type Refusal = "unknown_level" | "no_such_level" | "not_pinned";
export type Decision = Step | { readonly refused: Refusal };

export interface PinOrder {
  /** The instant (ms) at which the pin ends; null: until it is taken away. */
  readonly untilAt: number | null;
  readonly actor: string;
  readonly note: string;
  readonly asOf: number;
}

/** Fixes a level. What is due by the as-of must have been applied. A pin that is there is replaced. */
export function pin(rules: Rules, state: TierState, days: DayBook | null, levelId: string, order: PinOrder): Decision {
  const level = levelAt(rules.ladder, rankOf(rules.ladder, levelId));
  return level === null ? { refused: "unknown_level" } : pinned(rules, state, days, level, order);
}

/** Pins the level above the held one, the lowest where none is held. */
export function promote(rules: Rules, state: TierState, days: DayBook | null, order: PinOrder): Decision {
  return moved(rules, state, days, 1, order);
}

/** Pins the level below the held one. */
export function demote(rules: Rules, state: TierState, days: DayBook | null, order: PinOrder): Decision {
  return moved(rules, state, days, -1, order);
}

function moved(rules: Rules, state: TierState, days: DayBook | null, by: 1 | -1, order: PinOrder): Decision {
  const level = levelAt(rules.ladder, rankOf(rules.ladder, state.levelId) + by);
  return level === null ? { refused: "no_such_level" } : pinned(rules, state, days, level, order);
}

function pinned(rules: Rules, state: TierState, days: DayBook | null, level: Level, order: PinOrder): Step {
  const { untilAt, actor, note, asOf } = order;
  const after: TierState = {
    ...state,
    levelId: level.id,
    validUntilDay: null,
    validityOpen: false,
    pin: { levelId: level.id, untilAt, actor, note },
  };
  return settled(rules, state, after, days, { reason: "pinned", actor, asOf, orderId: null, dueAt: null });
}

/** Takes a pin away: the customer is evaluated afresh, nothing from before the pin is remembered. */
export function unpin(
  rules: Rules,
  state: TierState,
  days: DayBook | null,
  by: { readonly actor: string; readonly asOf: number },
): Decision {
  if (state.pin === null) return { refused: "not_pinned" };
  const after = evaluatedAfresh(rules, { ...state, pin: null }, days, rules.calendar.localDay(by.asOf));
  return settled(rules, state, after, days, { reason: "unpinned", ...by, orderId: null, dueAt: null });
}
