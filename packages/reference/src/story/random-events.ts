import { isCancelled, remaining, type Order } from "../model/orders.ts";
import { findOrder, ladderOf, ordersOf, type World } from "../model/world.ts";
import { occurrence, textOf, type Plot } from "./plot.ts";
import { categories, skus } from "./random-rules.ts";
import type { EventInput, OrderLineInput, PlacedInput, RefundedInput, Step } from "./types.ts";

type EventStep = Extract<Step, { readonly event: EventInput }>;

/** One event or a broken record. Whatever it is, it is a step that every player can play. */
export function randomEvent(plot: Plot, at: string): Step {
  const { random } = plot;
  const { kinds } = plot.profile;
  let dice = random.whole(1, 100);
  const isNow = (share: number) => (dice -= share) <= 0;
  if (isNow(kinds.order)) return sent(plot, at, order(plot, at));
  if (isNow(kinds.refund)) return sent(plot, at, refund(plot, at));
  if (isNow(kinds.cancel)) return sent(plot, at, cancellation(plot, at));
  if (isNow(kinds.again)) return again(plot, at);
  if (isNow(kinds.ahead)) return sent(plot, at, refundAhead(plot, at));
  return isNow(kinds.copies) ? copies(plot, at) : broken(plot, at);
}

/** With all that defaults would say about its content, so that it can be sent again later. */
function sent(plot: Plot, at: string, event: EventInput): EventStep {
  plot.sent.push({ ...event, occurredAt: event.occurredAt ?? at });
  return { at, event };
}

function order(plot: Plot, at: string): PlacedInput {
  const { random } = plot;
  const customerId = random.pick(plot.customers);
  const all = orderIdsOf(plot, customerId);
  const free = all.filter((orderId) => findOrder(plot.model.world, orderId) === null);
  const awaited = free.filter((orderId) => plot.model.world.parked.some(({ event }) => event.orderId === orderId));
  const orderId = random.pick(free.length === 0 || random.chance(0.03) ? all : awaited.length > 0 && random.chance(0.5) ? awaited : free);
  const lines = Array.from({ length: random.pick([1, 1, 2, 3, 4]) }, () => orderLine(plot));
  return { type: "OrderPlaced", customerId, orderId, ...when(plot, at), lines, ...paid(plot, orderId, lines) };
}

function orderIdsOf({ apart, orderIds }: Plot, customerId: string): readonly string[] {
  return apart ? orderIds.map((orderId) => `${customerId}-${orderId}`) : orderIds;
}

function orderLine(plot: Plot): OrderLineInput {
  const { pick, whole, chance } = plot.random;
  const netMinor = chance(0.01)
    ? 2 ** 45
    : chance(plot.profile.hasCampaigns ? 0.3 : 0.8)
      ? nearThreshold(plot)
      : pick([0, 1, 2, whole(1, 100), whole(100, 3000), whole(100, 3000), 999, 1000, 5000, whole(5000, 60_000)]);
  return { ...(chance(0.8) ? { sku: pick(skus) } : {}), category: chance(0.5) ? pick(categories) : null, netMinor };
}

/** About what is missing for a level, so that orders and refunds go to and fro around thresholds. */
function nearThreshold({ random, model }: Plot): number {
  const { levels } = ladderOf(model.world);
  const threshold = levels.length === 0 ? 1000 : random.pick(levels).threshold;
  return Math.max(0, random.pick([threshold, threshold - 1, threshold + 1, Math.floor(threshold / 2), Math.floor(threshold / 3), 1]));
}

function paid({ random, model }: Plot, orderId: string, lines: readonly OrderLineInput[]): { paidWithCashbackMinor?: number } {
  const net = lines.reduce((total, { netMinor }) => total + netMinor, 0);
  const named = model.world.book.redemptions.filter((redemption) => redemption.orderId === orderId);
  const amount = Number(named.reduce((total, redemption) => total + redemption.amount, 0n));
  if (named.length > 0 && random.chance(0.8)) return { paidWithCashbackMinor: Math.min(net, amount) };
  return random.chance(0.1) ? { paidWithCashbackMinor: random.pick([0, 1, net, net + 1, random.whole(0, net)]) } : {};
}

function when(plot: Plot, at: string): { occurredAt?: string } {
  const occurredAt = textOf(occurrence(plot, Date.parse(at)));
  return occurredAt === at ? {} : { occurredAt };
}

/** Mostly one that can still be refunded, and by preference one whose cashback was spent or that was paid with cashback. */
function anyOrder({ random, model: { world } }: Plot): Order | undefined {
  const open = world.orders.filter((order) => !isCancelled(order));
  const spent = open.filter((order) => isSpent(world, order));
  if (spent.length > 0 && random.chance(0.7)) return random.pick(spent);
  return random.pick(open.length > 0 && random.chance(0.85) ? open : world.orders);
}

function isSpent({ book }: World, { orderId }: Order): boolean {
  return book.redemptions.some(
    (redemption) => redemption.orderId === orderId || redemption.parts.some(({ lot }) => lot.orderId === orderId),
  );
}

function refund(plot: Plot, at: string): EventInput {
  const { random } = plot;
  const known = anyOrder(plot);
  if (known === undefined) return refundAhead(plot, at);
  const left = remaining(known);
  const lines = left.flatMap((amount, line) => (random.chance(0.6) ? [{ line, netMinor: portion(plot, Number(amount)) }] : []));
  if (random.chance(0.05) && lines.length > 0) lines.push({ ...lines[0]!, netMinor: random.pick([1, lines[0]!.netMinor]) });
  if (random.chance(0.05)) lines.push({ line: random.pick([0, left.length, -1]), netMinor: 1 });
  const customerId = !plot.apart && random.chance(0.03) ? random.pick(plot.customers) : known.customerId;
  const refundId = random.pick(["r1", "r2", "r3", "r4", "r5", "r6"]);
  const usual = lines.filter(({ netMinor }) => netMinor > 0 || random.chance(0.02));
  return {
    type: "OrderRefunded",
    customerId,
    orderId: known.orderId,
    refundId,
    ...when(plot, at),
    lines: usual.length > 0 ? usual : [{ line: 0, netMinor: 1 }],
  };
}

function portion({ random }: Plot, left: number): number {
  return random.pick([left, left, 1, Math.floor(left / 2), random.whole(0, left), random.chance(0.05) ? left + 1 : left]);
}

function cancellation(plot: Plot, at: string): EventInput {
  const known = anyOrder(plot);
  const customerId = known?.customerId ?? plot.random.pick(plot.customers);
  const orderId = known?.orderId ?? plot.random.pick(orderIdsOf(plot, customerId));
  return { type: "OrderCancelled", customerId, orderId, ...when(plot, at), reason: plot.random.chance(0.2) ? "changed mind" : null };
}

/** Of an order that may come later: it waits. */
function refundAhead(plot: Plot, at: string): RefundedInput {
  const { random } = plot;
  const customerId = random.pick(plot.customers);
  return {
    type: "OrderRefunded",
    customerId,
    orderId: random.pick(orderIdsOf(plot, customerId)),
    refundId: random.pick(["r1", "r2", "r3"]),
    ...when(plot, at),
    lines: [{ line: random.pick([0, 0, 1]), netMinor: random.pick([1, 2, 50, 999]) }],
  };
}

/** The same event once more, or nearly the same. */
function again(plot: Plot, at: string): EventStep {
  const { random } = plot;
  if (plot.sent.length === 0) return sent(plot, at, order(plot, at));
  const event = random.pick(plot.sent);
  if (random.chance(0.75)) return { at, event };
  const changed: EventInput[] = [
    { ...event, occurredAt: textOf(Date.parse(event.occurredAt!) - 1) },
    ...(plot.apart ? [] : [{ ...event, customerId: random.pick(plot.customers) }]),
    ...(event.type === "OrderCancelled" ? [] : [moreOf(event)]),
  ];
  return { at, event: random.pick(changed) };
}

function moreOf(event: PlacedInput | RefundedInput): EventInput {
  if (event.type === "OrderPlaced") return { ...event, lines: event.lines.map((line) => ({ ...line, netMinor: line.netMinor + 1 })) };
  return { ...event, lines: event.lines.toReversed().map((line) => ({ ...line, netMinor: line.netMinor + 1 })) };
}

function copies(plot: Plot, at: string): Step {
  const placed = order(plot, at);
  return { at, event: placed, copies: plot.random.whole(2, 4) };
}

const otherMerchant = "00000000-0000-4000-8000-000000000000";

/** With one fault, or with several of which the first in the specification's order counts. */
function broken(plot: Plot, at: string): Step {
  const { random } = plot;
  const event = order(plot, at);
  const ordinary = { at, event };
  const long = "x".repeat(65);
  const faults: Step[] = [
    { at, raw: "00ff" },
    { ...ordinary, key: "nonsense" },
    { at, event: { ...event, orderId: "" } },
    { at, event: { ...event, orderId: long } },
    { at, event: { ...event, currency: "XTS" } },
    { at, event: { ...event, lines: [] } },
    { at, event: { ...event, lines: [{ netMinor: -1 }] } },
    { at, event: { ...event, lines: [{ netMinor: 5, quantity: 0 }] } },
    { at, event: { ...event, lines: [{ netMinor: Number.MAX_SAFE_INTEGER }, { netMinor: 1 }] } },
    { at, event: { ...event, lines: [{ netMinor: 5, sku: "s".repeat(257) }] } },
    { at, event: { ...event, occurredAt: textOf(Date.parse(at) + 300_001) } },
    { at, event: { ...event, occurredAt: "1969-12-31T23:59:59.999Z" } },
    { at, event: { ...event, occurredAt: "2199-12-31T23:59:59.999Z" } },
    { at, event: { ...event, occurredAt: "2200-01-01T00:00:00Z" } },
    { at, event: { ...event, currency: "XTS", occurredAt: textOf(Date.parse(at) + 300_001) } },
    { at, event: { ...event, merchantId: otherMerchant, currency: "XTS", occurredAt: textOf(Date.parse(at) + 300_001) } },
    { at, event: { ...event, merchantId: otherMerchant, lines: [] } },
    { at, event: { ...event, merchantId: otherMerchant } },
    {
      at,
      event: {
        type: "OrderRefunded",
        customerId: event.customerId,
        orderId: event.orderId,
        refundId: long,
        lines: [{ line: 0, netMinor: 1 }],
      },
    },
    {
      at,
      event: {
        type: "OrderRefunded",
        customerId: event.customerId,
        orderId: event.orderId,
        refundId: "r9",
        lines: [{ line: 0, netMinor: 0 }],
      },
    },
  ];
  return random.pick(faults);
}

/** Ids for a redemption to name: mostly of the customer's orders, or of ones to come. */
export function orderToName(plot: Plot, customerId: string): string {
  const placed = ordersOf(plot.model.world, customerId).map(({ orderId }) => orderId);
  return plot.random.pick(placed.length > 0 && plot.random.chance(0.6) ? placed : orderIdsOf(plot, customerId));
}
