import type { Ladder, Level } from "../story/types.ts";
import { inYear, localDay, startOfDay, yearOf, type Day, type Instant } from "./time.ts";
import { qualifiedOn, rankOf, validUntil, yearAround, type Counted } from "./windows.ts";

export interface Pin {
  readonly until: Instant | null;
  readonly actor: string;
}

/** What tiers remember of a customer beside the orders. */
export interface Member {
  readonly level: string | null;
  readonly validUntil: Day | null;
  readonly pin: Pin | null;
  readonly lastAsOf: Instant;
}

export type Reason = "order" | "refund" | "period_end" | "rules_changed" | "pinned" | "unpinned";

/** One change of a level id. */
export interface Change {
  readonly from: string | null;
  readonly to: string | null;
  readonly reason: Reason;
  readonly actor: string;
  readonly asOf: Instant;
}

export interface Moved {
  readonly member: Member;
  readonly changes: readonly Change[];
}

/** The rules and orders that a customer is judged by. */
export interface Ground {
  readonly ladder: Ladder;
  readonly counted: readonly Counted[];
  readonly zone: string;
}

type Standing = Pick<Member, "level" | "validUntil">;

/** What the customer would have if nothing were remembered. */
export function fresh({ ladder, counted, zone }: Ground, asOf: Instant): Standing {
  const day = localDay(asOf, zone);
  const level = qualifiedOn(ladder, counted, day);
  return { level: level?.id ?? null, validUntil: validUntil(ladder, level, counted, day) };
}

export function moveTo(member: Member, to: Partial<Member>, asOf: Instant, reason: Reason, actor = "system"): Moved {
  const moved = { ...member, ...to, lastAsOf: asOf };
  const changes = moved.level === member.level ? [] : [{ from: member.level, to: moved.level, reason, actor, asOf }];
  return { member: moved, changes };
}

/** An order only raises, and never shortens a validity. */
export function afterOrder(ground: Ground, member: Member, asOf: Instant): Moved {
  if (member.pin !== null) return moveTo(member, {}, asOf, "order");
  const now = fresh(ground, asOf);
  const difference = rankOf(ground.ladder, now.level) - rankOf(ground.ladder, member.level);
  if (difference > 0) return moveTo(member, now, asOf, "order");
  if (difference < 0) return moveTo(member, {}, asOf, "order");
  return moveTo(member, { validUntil: later(member.validUntil, now.validUntil) }, asOf, "order");
}

/** An immediate refund evaluates afresh; one at the period's end changes nothing now. */
export function afterRefund(ground: Ground, member: Member, asOf: Instant): Moved {
  const waits = member.pin !== null || ground.ladder.settings.refundPolicy === "at_period_end";
  return moveTo(member, waits ? {} : fresh(ground, asOf), asOf, "refund");
}

/** Applies what is due by `until`, each as of its own moment. */
export function afterDue(ground: Ground, member: Member, until: Instant): Moved {
  let now = member;
  const changes: Change[] = [];
  for (let due = nextDue(ground, now); due !== null && due <= until; due = nextDue(ground, now)) {
    const asOf = Math.max(due, now.lastAsOf);
    const moved = now.pin === null ? fall(ground, now, asOf) : unpin(ground, now, asOf, now.pin.actor);
    now = moved.member;
    changes.push(...moved.changes);
  }
  return { member: now, changes };
}

function nextDue({ ladder, zone }: Ground, { pin, validUntil }: Member): Instant | null {
  if (pin !== null) return pin.until;
  return validUntil === null ? null : startOfDay(validUntil + ladder.settings.graceDays, zone);
}

export function unpin(ground: Ground, member: Member, asOf: Instant, actor: string): Moved {
  return moveTo(member, { ...fresh(ground, asOf), pin: null }, asOf, "unpinned", actor);
}

/** The end of a validity and of the grace after it. */
function fall(ground: Ground, member: Member, asOf: Instant): Moved {
  const { ladder } = ground;
  const now = fresh(ground, asOf);
  const below = rankOf(ladder, member.level) - 1;
  // A validity that an edit to `lifetime` left has no further period to be one level down for.
  const stepwise = ladder.settings.downgrade === "one_down" && ladder.settings.window !== "lifetime";
  if (!stepwise || rankOf(ladder, now.level) >= below) return moveTo(member, now, asOf, "period_end");
  const level = ladder.levels[below] as Level;
  return moveTo(member, { level: level.id, validUntil: onePeriodAfter(ground, member.validUntil!) }, asOf, "period_end");
}

function onePeriodAfter({ ladder, counted }: Ground, day: Day): Day {
  switch (ladder.settings.window) {
    case "lifetime":
      throw new Error("A lifetime has no periods");
    case "rolling_days":
      return day + ladder.settings.days!;
    case "calendar_year":
    case "anniversary_year": {
      // From a period's end to the next one's, so that a leap day comes back; from any other day (an edit left it) a year on.
      const year = yearAround(ladder.settings, counted, day);
      return year?.from === day ? year.to : inYear(day, yearOf(day) + 1);
    }
  }
}

export function later(a: Day | null, b: Day | null): Day | null {
  return a === null || b === null ? null : Math.max(a, b);
}
