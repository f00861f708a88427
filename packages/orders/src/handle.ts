import type { OrderEvent } from "@perkstream/contracts";
import type { DeadLetter, Entry, Notice, Outcome, Rejection, SourceRecord } from "@perkstream/program";
import { judge } from "./domain/judge.ts";
import type { OrderState, Refund } from "./domain/order.ts";
import { preconditions, scopeOf } from "./domain/preconditions.ts";

export type OrderEntry = Entry<OrderEvent>;

/** What a program does about orders and refunds. Neither may do I/O; both run inside the host's `decide`. */
export interface OrderEffects<X, R> {
  /** Whose order it is and its local date. Asked once, for an order that is to be counted. */
  place(entry: OrderEntry, merchant: number): { readonly acct: number; readonly localDay: number };
  /**
   * A new order. `extra` is stored with it. A rejection (protocols.md 21: a customer total that would pass int8)
   * makes a dead letter and must come before anything of the working set is changed.
   */
  counted(
    order: OrderState,
    entry: OrderEntry,
  ): { readonly extra: X; readonly notices: readonly Notice[] } | { readonly rejected: Rejection };
  /**
   * A refund or cancellation that is already taken off `order.remaining`; `extra` of the order may be changed in place.
   * `entry` has the refund's own coordinates, the cause of its notices; `at` is the entry that is handled now: the order's
   * for a refund that was parked, else the same. `asOf` is stored with the refund.
   */
  refunded(
    order: Booked<X>,
    refund: Refund,
    entry: OrderEntry,
    at: OrderEntry,
  ): { readonly asOf: number; readonly extra: R; readonly notices: readonly Notice[] };
}

/** An order with the program's own columns. */
export interface Booked<X> {
  readonly order: OrderState;
  extra: X;
}

/** The orders of one transaction, as `handle` needs them (see OrderBook for the stored one). */
export interface Ledger<X, R> {
  find(merchant: number, orderId: string): Booked<X> | undefined;
  open(entry: OrderEntry, merchant: number, acct: number, localDay: number): OrderState;
  add(order: OrderState, extra: X): Booked<X>;
  refund(booked: Booked<X>, refund: Refund, entry: OrderEntry, asOf: number, extra: R): void;
  park(merchant: number, entry: OrderEntry): void;
  /** Takes out what is parked for an order, in the order it arrived. */
  unpark(merchant: number, orderId: string): readonly OrderEntry[];
}

/** The merchant as of the entry's offset; undefined when no such merchant exists. */
export interface OrderMerchant {
  readonly id: number;
  readonly currency: string;
}

const DUPLICATE: Outcome = { result: "duplicate", notices: [] };
const PARKED: Outcome = { result: "parked", notices: [] };

/**
 * One order event from preconditions to outcome, the same for every program:
 *
 *   preconditions ─► judge ─┬─ duplicate, rejected
 *                           ├─ parked ─► kept
 *                           ├─ refunded ─► effects.refunded
 *                           └─ counted ─► effects.counted ─► every parked event of it, as they arrived ─► judge ─► …
 */
export function handle<X, R>(
  ledger: Ledger<X, R>,
  entry: OrderEntry,
  merchant: OrderMerchant | undefined,
  effects: OrderEffects<X, R>,
): Outcome {
  const { event, record } = entry;
  const refused = preconditions(event, record.timestamp, merchant);
  if (refused !== null || merchant === undefined) return rejected(refused);
  const booked = ledger.find(merchant.id, event.orderId);
  const judgement = judge(booked?.order, event, payloadOf(record));
  if (judgement.kind === "counted") return count(ledger, entry, merchant, effects);
  if (judgement.kind === "duplicate") return DUPLICATE;
  if (judgement.kind === "rejected") return rejected(judgement.rejection);
  if (judgement.kind === "parked") {
    ledger.park(merchant.id, entry);
    return PARKED;
  }
  return { result: "applied", notices: refund(ledger, booked!, judgement.refund, entry, entry, effects) };
}

function count<X, R>(ledger: Ledger<X, R>, entry: OrderEntry, merchant: OrderMerchant, effects: OrderEffects<X, R>): Outcome {
  const { acct, localDay } = effects.place(entry, merchant.id);
  const order = ledger.open(entry, merchant.id, acct, localDay);
  const counted = effects.counted(order, entry);
  if ("rejected" in counted) return rejected(counted.rejected);
  const booked = ledger.add(order, counted.extra);
  const waiting = ledger.unpark(merchant.id, order.orderId);
  if (waiting.length === 0) return { result: "applied", notices: counted.notices };
  return release(ledger, booked, waiting, entry, counted.notices, effects);
}

function release<X, R>(
  ledger: Ledger<X, R>,
  booked: Booked<X>,
  waiting: readonly OrderEntry[],
  at: OrderEntry,
  first: readonly Notice[],
  effects: OrderEffects<X, R>,
): Outcome {
  const notices = [...first];
  const deadLetters: DeadLetter[] = [];
  let duplicates = 0;
  for (const parked of waiting) {
    const judgement = judge(booked.order, parked.event, payloadOf(parked.record));
    if (judgement.kind === "refunded") notices.push(...refund(ledger, booked, judgement.refund, parked, at, effects));
    else if (judgement.kind === "rejected") deadLetters.push(deadLetter(parked, judgement.rejection));
    else duplicates++;
  }
  return { result: "applied", notices, deadLetters, unparked: waiting.length, duplicates };
}

function refund<X, R>(
  ledger: Ledger<X, R>,
  booked: Booked<X>,
  taken: Refund,
  entry: OrderEntry,
  at: OrderEntry,
  effects: OrderEffects<X, R>,
): readonly Notice[] {
  booked.order.post(taken);
  const effect = effects.refunded(booked, taken, entry, at);
  ledger.refund(booked, taken, entry, effect.asOf, effect.extra);
  return effect.notices;
}

function rejected(rejection: Rejection | null): Outcome {
  if (rejection === null) throw new Error("a rejection without a reason");
  return { result: { rejected: rejection }, notices: [] };
}

function deadLetter(entry: OrderEntry, rejection: Rejection): DeadLetter {
  return { record: entry.record, scope: scopeOf(entry.event, entry.record.key), ...rejection };
}

function payloadOf(record: SourceRecord): Buffer {
  if (record.value === null) throw new Error("an order event without a value");
  return record.value;
}
