import type { Tx } from "@perkstream/postgres";
import type { OrderDecoder } from "../decode.ts";
import { OrderState, type Refund } from "../domain/order.ts";
import { scopeOf } from "../domain/preconditions.ts";
import type { Booked, OrderEntry } from "../handle.ts";
import type { WorkingOrders } from "./contract.ts";
import { MerchantMap } from "../merchant-map.ts";
import { decodeStored, type Loaded, type OrderKey, type ParkedRow } from "./read.ts";
import type { RefundRow, Writer } from "./write.ts";

type Waiting = OrderKey & { readonly entry: OrderEntry };

/** What one transaction read of the orders, and what it changed. */
export class WorkingSet<X, R> implements WorkingOrders<X, R> {
  readonly #orders: MerchantMap<Booked<X>>;
  readonly #parked: MerchantMap<ParkedRow[]>;
  readonly #added = new Set<Booked<X>>();
  readonly #changed = new Set<Booked<X>>();
  readonly #refunds: RefundRow<X, R>[] = [];
  readonly #waiting = new MerchantMap<Waiting[]>();
  readonly #released: ParkedRow[] = [];
  readonly #decoder: OrderDecoder;
  readonly #write: Writer<X, R>;

  constructor(loaded: Loaded<X>, decoder: OrderDecoder, write: Writer<X, R>) {
    this.#orders = loaded.orders;
    this.#parked = loaded.parked;
    this.#decoder = decoder;
    this.#write = write;
  }

  find(merchant: number, orderId: string): Booked<X> | undefined {
    return this.#orders.get(merchant, orderId);
  }

  waits(merchant: number, orderId: string): boolean {
    return this.#parked.size > 0 && this.#parked.has(merchant, orderId);
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
    this.#orders.set(order.place.merchant, order.orderId, booked);
    this.#added.add(booked);
    return booked;
  }

  touch(booked: Booked<X>): void {
    if (!this.#added.has(booked)) this.#changed.add(booked);
  }

  refund(booked: Booked<X>, refund: Refund, entry: OrderEntry, asOf: number, extra: R): void {
    this.touch(booked);
    this.#refunds.push({ booked, refund, entry, position: booked.order.refunds.size - 1, asOf, extra });
  }

  park(merchant: number, entry: OrderEntry): void {
    const { orderId } = entry.event;
    const waiting = this.#waiting.get(merchant, orderId);
    const parked = { merchant, orderId, entry };
    if (waiting === undefined) this.#waiting.set(merchant, orderId, [parked]);
    else waiting.push(parked);
  }

  unpark(merchant: number, orderId: string): readonly OrderEntry[] {
    if (this.#parked.size === 0 && this.#waiting.size === 0) return [];
    const stored = this.#parked.get(merchant, orderId) ?? [];
    const waiting = this.#waiting.get(merchant, orderId) ?? [];
    this.#parked.delete(merchant, orderId);
    this.#waiting.delete(merchant, orderId);
    this.#released.push(...stored);
    return [...stored.map((row) => this.#entryOf(row)), ...waiting.map(({ entry }) => entry)];
  }

  parkedUntil(merchant: number, orderId: string): number | undefined {
    const stored = this.#parked.get(merchant, orderId);
    return stored?.reduce((latest, { record }) => Math.max(latest, record.timestamp), 0);
  }

  async save(tx: Tx): Promise<void> {
    await this.#write(tx, {
      added: [...this.#added],
      changed: [...this.#changed],
      refunds: this.#refunds,
      parked: [...this.#waiting.values()].flat(),
      released: this.#released,
    });
  }

  #entryOf({ record }: ParkedRow): OrderEntry {
    const event = decodeStored(this.#decoder, record.value ?? Buffer.alloc(0));
    return { record, scope: scopeOf(event, record.key), event };
  }
}
