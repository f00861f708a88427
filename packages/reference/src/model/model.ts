import type { ReserveInput, Step, Story } from "../story/types.ts";
import type { Redemption } from "./book.ts";
import { applyDue } from "./due.ts";
import { applyRecord } from "./events.ts";
import { editLadder, previewLadder } from "./ladders.ts";
import { commit, redeem, release, reserve } from "./redemptions.ts";
import { snapshotOf, type Seen, type Snapshot, seenOf } from "./snapshot.ts";
import { applyTierDue, endPin, moveByOne, pin } from "./tiers.ts";
import { instantOf, type Instant } from "./time.ts";
import { cashbackAsOf, editCampaign, findOrder, newWorld, type World } from "./world.ts";

/** Plays a story step by step. It reads nothing but the steps: no clock, no randomness. */
export interface Model {
  apply(step: Step): void;
  /** All that is true now, and what happened since the last look. */
  look(): Snapshot;
  /** What the model remembers, for a writer of stories that aims at its edges. Not to be changed. */
  readonly world: World;
}

export function openModel(story: Pick<Story, "merchant" | "ladder" | "campaigns">): Model {
  const world = newWorld(story);
  let seen: Seen = seenOf(world);
  return {
    world,
    apply: (step) => applyStep(world, step),
    look() {
      const snapshot = snapshotOf(world, seen);
      seen = seenOf(world);
      return snapshot;
    },
  };
}

/** The snapshot after every step of a story; its expectations are passed over. */
export function playStory(story: Story): { readonly step: Step; readonly snapshot: Snapshot }[] {
  const model = openModel(story);
  return story.steps.flatMap((step) => {
    if ("expect" in step) return [];
    model.apply(step);
    return [{ step, snapshot: model.look() }];
  });
}

function applyStep(world: World, step: Step): void {
  world.clock = instantOf(step.at);
  if ("event" in step) {
    const { event, key, copies } = step;
    if (copies === undefined) applyRecord(world, event, key);
    else for (let copy = 1; copy <= copies; copy += 1) applyRecord(world, { ...event, orderId: `${event.orderId}-${copy}` }, key);
  } else if ("raw" in step) {
    world.deadLetters.push("invalid_event");
    world.nextOffset += 1;
  } else if ("sweep" in step) sweep(world);
  else if ("pin" in step) pin(world, step.pin);
  else if ("unpin" in step) endPin(world, step.unpin.customerId, step.unpin.actor ?? "system");
  else if ("promote" in step) moveByOne(world, step.promote, "promote");
  else if ("demote" in step) moveByOne(world, step.demote, "demote");
  else if ("ladder" in step) editLadder(world, step.ladder);
  else if ("preview" in step) previewLadder(world, step.preview);
  else if ("campaign" in step) editCampaign(world, step.campaign);
  else if ("reserve" in step) spend(world, step.reserve, "reserve", (asOf) => reserve(world.book, step.reserve, asOf));
  else if ("redeem" in step)
    spend(world, step.redeem, "redeem", (asOf) => redeem(world.book, step.redeem, asOf, findOrder(world, step.redeem.orderId ?? null)));
  else if ("commit" in step)
    settle(world, step.commit.id, "commit", (redemption, asOf) =>
      commit(world.book, redemption, asOf, findOrder(world, redemption.orderId)),
    );
  else settle(world, step.release.id, "release", (redemption, asOf) => release(world.book, redemption, asOf));
}

function sweep(world: World): void {
  for (const customerId of world.members.keys()) applyTierDue(world, customerId, world.clock);
  for (const customerId of world.book.lastAsOf.keys()) applyDue(world.book, customerId, world.clock);
}

function spend(
  world: World,
  { id, customerId }: Omit<ReserveInput, "ttlSeconds">,
  kind: "reserve" | "redeem",
  take: (asOf: Instant) => Redemption | null,
): void {
  const asOf = beforeCommand(world, customerId);
  if (take(asOf) === null) refuse(world, kind, id, "insufficient_balance", customerId, asOf);
  else world.book.lastAsOf.set(customerId, asOf);
}

function settle(world: World, id: string, kind: "commit" | "release", end: (redemption: Redemption, asOf: Instant) => void): void {
  const redemption = world.book.redemptions.find((redemption) => redemption.id === id);
  if (redemption === undefined) return void world.refusals.push(`${kind} ${id} not_found`);
  const asOf = beforeCommand(world, redemption.customerId);
  if (redemption.status !== "reserved") return refuse(world, kind, id, "not_reserved", redemption.customerId, asOf);
  end(redemption, asOf);
  world.book.lastAsOf.set(redemption.customerId, asOf);
}

/** What is due by the command's as-of is applied first, and stays even if the command is refused. */
function beforeCommand(world: World, customerId: string): Instant {
  const asOf = Math.max(world.clock, cashbackAsOf(world, customerId) ?? world.clock);
  applyDue(world.book, customerId, asOf);
  return asOf;
}

/** Nothing is done but to move the last as-of. */
function refuse({ refusals, book, strangers }: World, kind: string, id: string, code: string, customerId: string, asOf: Instant): void {
  refusals.push(`${kind} ${id} ${code}`);
  const known = book.lastAsOf.has(customerId) ? book.lastAsOf : strangers.cashback;
  known.set(customerId, asOf);
}
