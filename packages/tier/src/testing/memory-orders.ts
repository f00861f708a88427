import { type Booked, type Ledger, type OrderEntry, OrderState, type Refund } from "@perkstream/orders";
import type { NoExtra, OrderLevels } from "../decide.ts";

/** The orders of one test, in memory. */
export class MemoryOrders implements Ledger<OrderLevels, NoExtra> {
  readonly #orders = new Map<string, Booked<OrderLevels>>();
  readonly #parked = new Map<string, OrderEntry[]>();

  get parked(): number {
    return [...this.#parked.values()].flat().length;
  }

  find(merchant: number, orderId: string): Booked<OrderLevels> | undefined {
    return this.#orders.get(`${merchant} ${orderId}`);
  }

  open({ event, record }: OrderEntry, merchant: number, acct: number, localDay: number): OrderState {
    if (event.type !== "OrderPlaced" || record.value === null) throw new Error("only an OrderPlaced opens an order");
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

  add(order: OrderState, extra: OrderLevels): Booked<OrderLevels> {
    const booked = { order, extra };
    this.#orders.set(`${order.place.merchant} ${order.orderId}`, booked);
    return booked;
  }

  refund(_booked: Booked<OrderLevels>, _refund: Refund, _entry: OrderEntry, _asOf: number, _extra: NoExtra): void {}

  park(merchant: number, entry: OrderEntry): void {
    const key = `${merchant} ${entry.event.orderId}`;
    this.#parked.set(key, [...(this.#parked.get(key) ?? []), entry]);
  }

  unpark(merchant: number, orderId: string): readonly OrderEntry[] {
    const key = `${merchant} ${orderId}`;
    const waiting = this.#parked.get(key) ?? [];
    this.#parked.delete(key);
    return waiting;
  }
}
