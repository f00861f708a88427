import { settingsAt } from "@perkstream/merchant";
import { type Booked, handle, type Ledger, type OrderEffects, type OrderEntry, type OrderState } from "@perkstream/orders";
import { holdsFrom, type Outcome, placeOf, type Rejection, type SourceRecord } from "@perkstream/program";
import type { ChangeLog } from "./changes.ts";
import type { Customer, Effect } from "./customer.ts";
import { applyOrder, applyRefund } from "./domain/index.ts";
import type { MerchantRules } from "./merchant-rules.ts";

/** What the tier program stores with an order: the level held directly before and after it. */
export interface OrderLevels {
  level_before: string | null;
  level_after: string | null;
}

export type NoExtra = Record<string, never>;

/** What deciding the events of a transaction needs and changes. */
export interface TierWork {
  /** By UUID; an absent one does not exist. */
  readonly merchants: ReadonlyMap<string, MerchantRules>;
  readonly orders: Ledger<OrderLevels, NoExtra>;
  readonly changes: ChangeLog;
  /** Made once by `effectsOn`. */
  readonly effects: OrderEffects<OrderLevels, NoExtra>;
  /** The customer of an order to be counted. */
  customerOf(merchant: number, customerId: string): Customer;
  /** The customer of a counted order. */
  customerByAcct(acct: number): Customer;
}

const MAX_INT8 = 2n ** 63n - 1n;
const OVERFLOW: Rejection = { reason: "invalid_event", message: "the customer's total would be above 2^63-1" };

/** Decides one order event: what is due before it, then the event (see `handle` of packages/orders). */
export function decide(work: TierWork, entry: OrderEntry): Outcome {
  const { record, event } = entry;
  const rules = work.merchants.get(event.merchantId);
  const merchant = rules && { id: rules.id, currency: settingsAt(rules.merchant, record.partition, placeOf(entry)).currency };
  return handle(work.orders, entry, merchant, work.effects);
}

/** What the tier program does about orders and refunds. */
export function effectsOn(work: Effects): OrderEffects<OrderLevels, NoExtra> {
  return {
    place: (entry, merchant) => {
      const { event } = entry;
      const customer = work.customerOf(merchant, event.customerId);
      const { calendar } = customer.rulesAt(here(entry));
      return { acct: customer.acct, localDay: calendar.localDay(event.occurredAt) };
    },
    counted: (order, entry) => count(work, order, entry),
    refunded: (booked, refund, entry, at) => {
      const customer = work.customerByAcct(booked.order.place.acct);
      const asOf = takeBack(work, customer, booked, refund.amountMinor, entry, at);
      return { asOf, extra: {}, notices: notices(work) };
    },
  };
}

type Effects = Omit<TierWork, "effects">;

function count(work: Effects, order: OrderState, entry: OrderEntry) {
  const { event, record } = entry;
  const customer = work.customerByAcct(order.place.acct);
  const { netMinor } = order;
  if (customer.state.totalNetMinor + netMinor > MAX_INT8) return { rejected: OVERFLOW };
  work.changes.because({ text: causeOf(record), occurredAt: event.occurredAt });
  const now = here(entry);
  const asOf = customer.bringForward(now, [record.timestamp, event.occurredAt], work.changes);
  customer.known = true;
  const before = customer.state.levelId;
  const day = order.place.localDay;
  const counted = { orderId: order.orderId, day, netMinor, asOf };
  // The order is paid by the level before it: what it changes holds from the next offset.
  customer.take(applyOrder(customer.rulesAt(now), customer.state, customer.days, counted), afterwards(entry), work.changes);
  customer.addToDay(day, netMinor, netMinor > 0n ? 1 : 0);
  return { extra: { level_before: before, level_after: customer.state.levelId }, notices: notices(work) };
}

function takeBack(
  work: Effects,
  customer: Customer,
  booked: Booked<OrderLevels>,
  amountMinor: bigint,
  entry: OrderEntry,
  at: OrderEntry,
): number {
  const { event, record } = entry;
  const { order } = booked;
  work.changes.because({ text: causeOf(record), occurredAt: event.occurredAt });
  const now = here(at);
  // A refund that was parked follows its order, whose changes hold from the next offset already.
  const asOf = customer.bringForward(now, [record.timestamp, event.occurredAt], work.changes, entry === at ? now : afterwards(at));
  const day = order.place.localDay;
  const emptied = amountMinor > 0n && order.remainingMinor === 0n;
  const refunded = { orderId: order.orderId, day, amountMinor, emptied, asOf };
  customer.take(applyRefund(customer.rulesAt(now), customer.state, customer.days, refunded), afterwards(at), work.changes);
  customer.addToDay(day, -amountMinor, emptied ? -1 : 0);
  return asOf;
}

function notices(work: Effects) {
  return work.changes.takeNotices().map(({ notice }) => notice);
}

/** Where the rules for an entry hold. */
function here(entry: OrderEntry): Effect {
  return entry.place === undefined ? entry.record : { partition: entry.record.partition, offset: placeOf(entry) };
}

/** Where what it changes holds from. */
function afterwards(entry: OrderEntry): Effect {
  return { partition: entry.record.partition, offset: holdsFrom(entry) };
}

function causeOf(record: SourceRecord): string {
  return `orders.v1/${record.partition}:${record.offset}`;
}
