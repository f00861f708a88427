import { localDay } from "@perkstream/calendar";
import type { NotificationEncoder, OrderEvent } from "@perkstream/contracts";
import { type Merchant, settingsAt } from "@perkstream/merchant";
import { asOf, type Booked, handle, type Ledger, type OrderEffects, type OrderEntry, type OrderState } from "@perkstream/orders";
import { type Decoded, type Entry, type Outcome, placeOf, type Rejection } from "@perkstream/program";
import type { MerchantCards } from "./cards.ts";
import { type Line, stampOrder, unitsLeft } from "./domain/index.ts";
import { type CardStamped, noticesOf } from "./notices.ts";
import type { Customer } from "./store/customers.ts";

/** A record of which only the key is read: most are of merchants without cards. */
export interface KeyedOrder {
  /** The merchant (UUID) that the key names; null for none. */
  readonly merchantId: string | null;
}

/** What of an order counts on a card, kept with the order. `units` are those that were not refunded. */
interface Counted {
  readonly cardId: string;
  readonly version: number;
  units: number;
}

export interface OrderExtra {
  counted: Counted[] | null;
}

export type NoExtra = Record<string, never>;

/** A merchant that has cards. */
export interface CardMerchant {
  readonly merchant: Merchant;
  readonly cards: MerchantCards;
}

/** What deciding the events of a transaction needs and changes. */
export interface StampsWork {
  readonly encoder: NotificationEncoder;
  /** By UUID; the others have no cards. */
  readonly merchants: ReadonlyMap<string, CardMerchant>;
  /** The records of these merchants, decoded. */
  readonly decoded: ReadonlyMap<Entry<KeyedOrder>, Decoded<OrderEvent>>;
  readonly orders: Ledger<OrderExtra, NoExtra>;
  customerOf(merchant: number, customerId: string): Customer;
  customerByAcct(acct: number): Customer;
}

/** Nothing is kept of orders of merchants without cards, nor of those before the first card. */
const PASSED: Outcome = { result: "applied", notices: [] };
const OVERFLOW: Rejection = { reason: "invalid_event", message: "the customer's units on a card would be above 2^53-1" };

export function decide(work: StampsWork, entry: Entry<KeyedOrder>): Outcome {
  const decoded = work.decoded.get(entry);
  if (decoded === undefined) return PASSED;
  if ("rejected" in decoded) return { result: { rejected: decoded.rejected }, notices: [] };
  const owner = work.merchants.get(decoded.event.merchantId)!;
  const { currency } = settingsAt(owner.merchant, entry.record.partition, placeOf(entry));
  const order = { ...entry, event: decoded.event };
  return handle(work.orders, order, { id: owner.merchant.id, currency }, effectsOn(work, owner));
}

function effectsOn(work: StampsWork, owner: CardMerchant): OrderEffects<OrderExtra, NoExtra> {
  return {
    place: (entry, merchant) => {
      const { timeZone } = settingsAt(owner.merchant, entry.record.partition, placeOf(entry));
      const { acct } = work.customerOf(merchant, entry.event.customerId);
      return { acct, localDay: localDay(entry.event.occurredAt, timeZone) };
    },
    counted: (order, entry) => count(work, owner, order, entry),
    refunded: (booked, _refund, { record, event }) => {
      takeBack(work.customerByAcct(booked.order.place.acct), owner.cards, booked);
      return { asOf: asOf(record.timestamp, event.occurredAt, undefined), extra: {}, notices: [] };
    },
  };
}

function count(work: StampsWork, { cards }: CardMerchant, order: OrderState, entry: OrderEntry) {
  const customer = work.customerByAcct(order.place.acct);
  const stamped: (CardStamped & { readonly version: number })[] = [];
  for (const card of cards.at(entry.record.partition, placeOf(entry))) {
    const lines = linesOf(order.lines, card.category);
    if (lines.length === 0) continue;
    const { units, rewards } = customer.sheet(card.cardId);
    const before = { standing: cards.standing(card.cardId, units), given: rewards };
    stamped.push({ card, version: card.version, stamped: stampOrder(before, card.size, lines) });
  }
  const isTooMuch = stamped.some(({ card, stamped: { units } }) => !Number.isSafeInteger(customer.unitsOf(card.cardId) + units));
  if (isTooMuch) return { rejected: OVERFLOW };
  for (const { card, stamped: done } of stamped) {
    customer.addUnits(card.cardId, card.version, done.units);
    customer.sheet(card.cardId).rewards += done.earned;
  }
  const counted = stamped.map(({ card, stamped: { units } }): Counted => ({ cardId: card.cardId, version: card.version, units }));
  return { extra: { counted: counted.length > 0 ? counted : null }, notices: noticesOf(work.encoder, order.placed, entry.record, stamped) };
}

/** Counts an order's units anew after a refund, as of the versions that it was bought under. Rewards that were given stay. */
function takeBack(customer: Customer, cards: MerchantCards, { order, extra }: Booked<OrderExtra>): void {
  const remaining = order.remaining;
  for (const counted of extra.counted ?? []) {
    const { category } = cards.version(counted.cardId, counted.version);
    const left = order.lines.reduce(
      (sum, line, i) => (line.category === category ? sum + unitsLeft(line, remaining[i]!, order.cancelled) : sum),
      0,
    );
    customer.addUnits(counted.cardId, counted.version, left - counted.units);
    counted.units = left;
  }
}

function linesOf(lines: readonly Line[], category: string): Line[] {
  return lines.filter((line) => line.category === category);
}
