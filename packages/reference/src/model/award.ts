import type { Campaign, Merchant, OrderLineInput, Products } from "../story/types.ts";
import { remaining, type Order } from "./orders.ts";
import { atLeastZero, least, spread, sum } from "./shares.ts";
import { dayFrom, dayMs, dayText, instantOf, localDay, monthOf, startOfDay, yearOf, type Instant } from "./time.ts";

/** Why a campaign paid what it paid for an order. An `after…` stands only where the campaign has that cap or budget. */
export interface Why {
  readonly version: number;
  readonly lines: readonly number[];
  readonly baseMinor: bigint;
  readonly rateBps: number;
  readonly multiplierBps: number;
  readonly earnedMinor: bigint;
  readonly afterOrderCapMinor?: bigint;
  readonly afterCustomerCapMinor?: bigint;
  readonly afterBudgetMinor?: bigint;
  readonly awardMinor: bigint;
  readonly reason?: "no_line" | "rounded_to_zero" | "customer_cap" | "budget";
}

export interface Award {
  readonly order: Order;
  readonly campaign: Campaign;
  readonly awarded: bigint;
  /** As granted, of every line of the order. */
  readonly lines: readonly bigint[];
  readonly why: Why;
}

export interface Version {
  readonly campaign: Campaign;
  readonly version: number;
}

const scale = 100_000_000n;

/** By priority, then id. */
export function byPriority(a: Campaign, b: Campaign): number {
  return a.priority - b.priority || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** The net of every line less its share of what was paid with cashback. */
function basesOf(order: Order): bigint[] {
  const nets = order.event.lines.map(({ netMinor }) => BigInt(netMinor));
  const paid = spread(BigInt(order.event.paidWithCashbackMinor ?? 0), nets);
  return nets.map((net, position) => net - paid[position]!);
}

export function isEligible(campaign: Campaign, order: Order): boolean {
  return (
    campaign.status === "active" &&
    instantOf(campaign.startsAt) <= order.occurredAt &&
    (campaign.endsAt === null || order.occurredAt < instantOf(campaign.endsAt)) &&
    sum(basesOf(order)) >= BigInt(campaign.minOrderMinor)
  );
}

/** The positions of the lines for which a campaign pays, among all that are eligible. */
export function linesOf(campaign: Campaign, eligible: readonly Campaign[], order: Order): number[] {
  return order.event.lines.flatMap((line, position) => (paysFor(campaign, eligible, line) ? [position] : []));
}

function paysFor(campaign: Campaign, eligible: readonly Campaign[], line: OrderLineInput): boolean {
  if (!matchesLine(campaign, line)) return false;
  if (campaign.stacking === "add") return true;
  const rivals = eligible.filter((rival) => rival.stacking === "best" && matchesLine(rival, line));
  return rivals.sort((a, b) => b.rateBps - a.rateBps || byPriority(a, b))[0] === campaign;
}

function matchesLine({ include, exclude }: Campaign, line: OrderLineInput): boolean {
  return (isEmpty(include) || names(include, line)) && !names(exclude, line);
}

function isEmpty(products: Products | null): boolean {
  return (products?.skus?.length ?? 0) + (products?.categories?.length ?? 0) === 0;
}

function names(products: Products | null, { sku = "sku", category = null }: OrderLineInput): boolean {
  return (products?.skus?.includes(sku) ?? false) || (category !== null && (products?.categories?.includes(category) ?? false));
}

/** What is left of the customer's cap and of the budget, null where the campaign has none. */
export interface Room {
  readonly customerCap: bigint | null;
  readonly budget: bigint | null;
}

export function awardOf(version: Version, lines: readonly number[], order: Order, multiplierBps: number, room: Room): Award {
  const { campaign } = version;
  const bases = basesOf(order).map((base, position) => (lines.includes(position) ? base : 0n));
  const earned = formula(sum(bases), campaign.rateBps, multiplierBps);
  const afterOrder = least(earned, orderCap(campaign));
  const afterCustomer = least(afterOrder, room.customerCap);
  const awarded = least(afterCustomer, room.budget);
  const reason = lines.length === 0 ? "no_line" : earned === 0n ? "rounded_to_zero" : afterCustomer === 0n ? "customer_cap" : "budget";
  const why: Why = {
    version: version.version,
    lines,
    baseMinor: sum(bases),
    rateBps: campaign.rateBps,
    multiplierBps,
    earnedMinor: earned,
    ...(campaign.perOrderCapMinor === null ? {} : { afterOrderCapMinor: afterOrder }),
    ...(room.customerCap === null ? {} : { afterCustomerCapMinor: afterCustomer }),
    ...(room.budget === null ? {} : { afterBudgetMinor: awarded }),
    awardMinor: awarded,
    ...(awarded === 0n ? { reason } : {}),
  };
  return { order, campaign, awarded, lines: spread(awarded, bases), why };
}

/** What the award would be for what remains of its lines, by what it has pinned. */
export function targetOf({ order, campaign, awarded, why }: Award): bigint {
  const bases = basesOf(order);
  const left = remaining(order);
  const remainingBase = sum(
    why.lines.map((position) => {
      const net = BigInt(order.event.lines[position]!.netMinor);
      return net === 0n ? 0n : (bases[position]! * left[position]!) / net;
    }),
  );
  return least(awarded, formula(remainingBase, why.rateBps, why.multiplierBps), orderCap(campaign));
}

function formula(base: bigint, rateBps: number, multiplierBps: number): bigint {
  return (base * BigInt(rateBps) * BigInt(multiplierBps)) / scale;
}

function orderCap({ perOrderCapMinor }: Campaign): bigint | null {
  return perOrderCapMinor === null ? null : BigInt(perOrderCapMinor);
}

/** The name of the period of a customer's cap that an order falls in. */
export function capPeriod(campaign: Campaign, order: Order, zone: string): string | null {
  const date = dayText(localDay(order.occurredAt, zone));
  switch (campaign.perCustomerCap?.period) {
    case "day":
      return date;
    case "month":
      return date.slice(0, 7);
    case "campaign":
      return "campaign";
    case undefined:
      return null;
  }
}

export function roomIn(limit: number | null | undefined, used: bigint): bigint | null {
  return limit === null || limit === undefined ? null : atLeastZero(BigInt(limit) - used);
}

export function availableAtOf(campaign: Campaign, order: Order): Instant {
  return order.occurredAt + campaign.holdDays * dayMs;
}

export function expiresAtOf({ expiry }: Campaign, availableAt: Instant, { timeZone }: Merchant): Instant | null {
  switch (expiry.type) {
    case "never":
      return null;
    case "days":
      return availableAt + expiry.days * dayMs;
    case "end_of_month": {
      const day = localDay(availableAt, timeZone);
      return startOfDay(dayFrom(yearOf(day), monthOf(day) + expiry.months + 1, 1), timeZone);
    }
  }
}
