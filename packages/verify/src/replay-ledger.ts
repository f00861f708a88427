import { type Booked, type Ledger, type OrderEntry, OrderState, type Refund } from "@perkstream/orders";

/** What was done about a refund: to be compared with its row. */
export interface ReplayedRefund<X, R> {
  readonly booked: Booked<X>;
  readonly refund: Refund;
  readonly position: number;
  readonly asOf: number;
  readonly extra: R;
}

/**
 * The orders of one customer in a replay. Only those that a stored refund names are kept, so that a customer may have any number of
 * orders.
 */
export class ReplayLedger<X, R> implements Ledger<X, R> {
  /** Orders that have refunds, by id. */
  readonly kept = new Map<string, Booked<X>>();
  /** The order that was counted last. */
  counted: Booked<X> | null = null;
  /** Refunds since this was emptied. */
  refunds: ReplayedRefund<X, R>[] = [];
  readonly #isRefunded: (orderId: string) => boolean;
  readonly #parked = new Map<string, OrderEntry[]>();

  constructor(isRefunded: (orderId: string) => boolean) {
    this.#isRefunded = isRefunded;
  }

  find(_merchant: number, orderId: string): Booked<X> | undefined {
    return this.kept.get(orderId);
  }

  open({ event, record }: OrderEntry, merchant: number, acct: number, localDay: number): OrderState {
    if (event.type !== "OrderPlaced" || record.value === null) throw new Error(`a ${event.type} cannot open an order`);
    return new OrderState({
      place: { merchant, acct, partition: record.partition, offset: record.offset, recordAt: record.timestamp, localDay },
      orderId: event.orderId,
      occurredAt: event.occurredAt,
      payload: record.value,
      cancelled: false,
      remaining: null,
      placed: event,
      decode: () => event,
    });
  }

  add(order: OrderState, extra: X): Booked<X> {
    const booked = { order, extra };
    this.counted = booked;
    if (this.#isRefunded(order.orderId)) this.kept.set(order.orderId, booked);
    return booked;
  }

  refund(booked: Booked<X>, refund: Refund, _entry: OrderEntry, asOf: number, extra: R): void {
    this.refunds.push({ booked, refund, position: booked.order.refunds.size - 1, asOf, extra });
  }

  park(_merchant: number, entry: OrderEntry): void {
    const waiting = this.#parked.get(entry.event.orderId);
    if (waiting === undefined) this.#parked.set(entry.event.orderId, [entry]);
    else waiting.push(entry);
  }

  unpark(_merchant: number, orderId: string): readonly OrderEntry[] {
    const waiting = this.#parked.get(orderId) ?? [];
    this.#parked.delete(orderId);
    return waiting;
  }
}
