import type { EventInput } from "../story/types.ts";
import { clawBack } from "./clawbacks.ts";
import { applyDue } from "./due.ts";
import { grant } from "./grant.ts";
import { afterOrder, afterRefund } from "./member.ts";
import { contentOf, faultOf, judgeRefund, type LoggedEvent, type Order, type Refund } from "./orders.ts";
import { putBack } from "./redemptions.ts";
import { applyTierDue, keep } from "./tiers.ts";
import { instantOf, type Instant } from "./time.ts";
import { cashbackAsOf, findOrder, groundOf, ladderOf, newMember, tierAsOf, type World } from "./world.ts";

/** One record of the log, by both programs. */
export function applyRecord(world: World, event: EventInput, key: string | undefined): void {
  const logged = { event, at: world.clock, occurredAt: event.occurredAt === undefined ? world.clock : instantOf(event.occurredAt) };
  const fault = faultOf(logged, key, world.merchant);
  if (fault !== null) world.deadLetters.push(fault);
  else if (event.type === "OrderPlaced") placeOrder(world, logged);
  else {
    const order = findOrder(world, event.orderId);
    if (order === null) world.parked.push(logged);
    else refundOrder(world, order, logged, world.nextOffset);
  }
  world.nextOffset += 1;
}

function placeOrder(world: World, logged: LoggedEvent): void {
  const { event, occurredAt } = logged;
  if (event.type !== "OrderPlaced") throw new Error("Not an order");
  const content = contentOf(logged, world.merchant);
  const known = findOrder(world, event.orderId);
  if (known !== null) {
    if (known.content === content) world.duplicates += 1;
    else world.deadLetters.push("order_conflict");
    return;
  }
  const { orderId, customerId } = event;
  count(world, { orderId, customerId, offset: world.nextOffset, occurredAt, content, event, refunds: [] }, logged);
  const waiting = world.parked.filter((parked) => parked.event.orderId === event.orderId);
  world.parked = world.parked.filter((parked) => parked.event.orderId !== event.orderId);
  // What is due between the order and a refund that waited for it follows the order, so it holds from after it.
  for (const parked of waiting) refundOrder(world, findOrder(world, event.orderId)!, parked, world.nextOffset + 1);
}

function count(world: World, order: Order, logged: LoggedEvent): void {
  const { customerId, orderId, occurredAt } = order;
  const tierTime = asOfEvent(logged, tierAsOf(world, customerId));
  const cashbackTime = asOfEvent(logged, cashbackAsOf(world, customerId));
  applyTierDue(world, customerId, tierTime);
  applyDue(world.book, customerId, cashbackTime);
  const before = ladderOf(world).levels.find(({ id }) => id === world.members.get(customerId)?.level);
  const multiplierBps = before?.cashbackMultiplierBps ?? 10_000;
  world.multipliers.set(world.nextOffset, multiplierBps);
  world.orders.push(order);
  const member = world.members.get(customerId) ?? newMember(tierTime);
  const cause = { offset: world.nextOffset + 1, orderId, occurredAt };
  keep(world, customerId, afterOrder(groundOf(world, customerId), member, tierTime), cause);
  const versions = [...world.campaigns.values()].map((all) => all.at(-1)!);
  grant(world.book, versions, order, multiplierBps, cashbackTime);
  world.book.lastAsOf.set(customerId, cashbackTime);
}

function refundOrder(world: World, order: Order, logged: LoggedEvent, dueOffset: number): void {
  const verdict = judgeRefund(order, logged, world.merchant);
  if ("rejected" in verdict) world.deadLetters.push(verdict.rejected);
  else if ("repeated" in verdict) world.duplicates += 1;
  else applyRefund(world, order, verdict.refund, logged, dueOffset);
}

function applyRefund(world: World, order: Order, refund: Refund, logged: LoggedEvent, dueOffset: number): void {
  const { customerId, orderId } = order;
  const { occurredAt } = logged;
  const tierTime = asOfEvent(logged, tierAsOf(world, customerId));
  const cashbackTime = asOfEvent(logged, cashbackAsOf(world, customerId));
  applyTierDue(world, customerId, tierTime, dueOffset);
  applyDue(world.book, customerId, cashbackTime);
  order.refunds.push(refund);
  const cause = { offset: world.nextOffset + 1, orderId, occurredAt };
  keep(world, customerId, afterRefund(groundOf(world, customerId), world.members.get(customerId)!, tierTime), cause);
  putBack(world.book, order, cashbackTime);
  clawBack(world.book, order, occurredAt, cashbackTime);
  world.book.lastAsOf.set(customerId, cashbackTime);
}

/** The latest of the record's timestamp, the event's own time and the last as-of of the customer in the program. */
function asOfEvent({ at, occurredAt }: LoggedEvent, lastAsOf: Instant | null): Instant {
  return Math.max(at, occurredAt, lastAsOf ?? at);
}
