import type { Ladder, Level, MoveInput, PinInput } from "../story/types.ts";
import { notify } from "./book.ts";
import { afterDue, moveTo, unpin, type Change, type Member, type Moved } from "./member.ts";
import { atLeastZero } from "./shares.ts";
import { instantOf, localDay, type Instant } from "./time.ts";
import { metricOn, rankOf } from "./windows.ts";
import { groundOf, ladderOf, newMember, tierAsOf, type World } from "./world.ts";

export interface Cause {
  /** From which changes hold. */
  readonly offset: number;
  readonly orderId?: string;
  /** Of the order or refund; the as-of for everything else. */
  readonly occurredAt?: Instant;
}

/** Keeps what moved: the customer, its history and a notice for every change. `ladders` are those before and with the change. */
export function keep(world: World, customerId: string, { member, changes }: Moved, cause: Cause, before: Ladder = ladderOf(world)): void {
  world.members.set(customerId, member);
  for (const change of changes) {
    const { offset, orderId = null } = cause;
    world.history.push({ ...change, customerId, offset, orderId, ruleVersion: world.ladders.length });
    tell(world, customerId, change, cause, before);
  }
}

function tell(world: World, customerId: string, { from, to, reason, asOf }: Change, cause: Cause, before: Ladder): void {
  const ladder = ladderOf(world);
  const ground = groundOf(world, customerId);
  // The level left is called what it was called while it was held, and ranks by the ladder now in force if it is still there.
  const left = before.levels.find(({ id }) => id === from) ?? null;
  const ranked = ladder.levels.find(({ id }) => id === from) ?? left;
  const entered = ladder.levels.find(({ id }) => id === to) ?? null;
  const next = ladder.levels[rankOf(ladder, to) + 1] ?? null;
  const metric = metricOn(ladder.settings, ground.counted, localDay(asOf, ground.zone));
  notify(world.book, "TierChanged", customerId, cause.occurredAt ?? asOf, {
    orderId: cause.orderId ?? null,
    fromTier: left?.name ?? null,
    toTier: entered?.name ?? null,
    direction: directionOf(ranked, entered),
    reason,
    nextTier: next?.name ?? null,
    toNextTierMinor: next === null ? null : Number(atLeastZero(BigInt(next.threshold) - metric)),
  });
}

/** By threshold; none ranks below all. */
export function directionOf(left: Level | null, entered: Level | null): "PROMOTED" | "DEMOTED" | "OTHER" {
  const difference = (entered?.threshold ?? -1) - (left?.threshold ?? -1);
  return difference > 0 ? "PROMOTED" : difference < 0 ? "DEMOTED" : "OTHER";
}

/** What is due for a customer by `until`; holds from the next offset. */
export function applyTierDue(world: World, customerId: string, until: Instant, offset = world.nextOffset): void {
  const member = world.members.get(customerId);
  if (member !== undefined) keep(world, customerId, afterDue(groundOf(world, customerId), member, until), { offset });
}

/** What a command decides on: the customer after what is due by then. Also kept when the command is refused. */
function beforeCommand(world: World, customerId: string): { member: Member; asOf: Instant } {
  const asOf = Math.max(world.clock, tierAsOf(world, customerId) ?? world.clock);
  applyTierDue(world, customerId, asOf);
  return { member: world.members.get(customerId) ?? newMember(asOf), asOf };
}

export function pin(world: World, input: PinInput): void {
  const { member, asOf } = beforeCommand(world, input.customerId);
  if (rankOf(ladderOf(world), input.levelId) < 0) refuse(world, "pin", input.customerId, "unknown_level", asOf);
  else pinTo(world, input, member, input.levelId, asOf);
}

export function moveByOne(world: World, input: MoveInput, kind: "promote" | "demote"): void {
  const { member, asOf } = beforeCommand(world, input.customerId);
  const ladder = ladderOf(world);
  const level = ladder.levels[rankOf(ladder, member.level) + (kind === "promote" ? 1 : -1)];
  if (level === undefined) refuse(world, kind, input.customerId, "no_such_level", asOf);
  else pinTo(world, input, member, level.id, asOf);
}

function pinTo(world: World, { customerId, actor, until }: MoveInput, member: Member, level: string, asOf: Instant): void {
  const pinned = { level, validUntil: null, pin: { actor, until: until === undefined ? null : instantOf(until) } };
  keep(world, customerId, moveTo(member, pinned, asOf, "pinned", actor), { offset: world.nextOffset });
}

export function endPin(world: World, customerId: string, actor: string): void {
  const { member, asOf } = beforeCommand(world, customerId);
  if (member.pin === null) refuse(world, "unpin", customerId, "not_pinned", asOf);
  else keep(world, customerId, unpin(groundOf(world, customerId), member, asOf, actor), { offset: world.nextOffset });
}

/** Nothing is done but to move the last as-of. */
function refuse(world: World, kind: string, customerId: string, code: string, asOf: Instant): void {
  world.refusals.push(`${kind} ${customerId} ${code}`);
  const member = world.members.get(customerId);
  if (member === undefined) world.strangers.tier.set(customerId, asOf);
  else world.members.set(customerId, { ...member, lastAsOf: asOf });
}
