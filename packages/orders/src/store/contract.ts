import type { Tx } from "@perkstream/postgres";
import type { OrderDecoder } from "../decode.ts";
import type { Booked, Ledger } from "../handle.ts";
import type { ExtraTypes } from "./extra.ts";

export interface OrderBookOptions<X, R> {
  /** The program's schema. */
  readonly schema: string;
  readonly decoder: OrderDecoder;
  readonly extra: { readonly order: ExtraTypes<X>; readonly refund: ExtraTypes<R> };
}

/** The orders of one transaction. An order that the chunk brings is seen by its later events. */
export interface WorkingOrders<X, R> extends Ledger<X, R> {
  find(merchant: number, orderId: string): Booked<X> | undefined;
  /** Whether refunds or cancellations of an order were parked in earlier transactions. */
  waits(merchant: number, orderId: string): boolean;
  /** The latest record timestamp (ms) of what is parked in the database for an order; undefined for nothing. */
  parkedUntil(merchant: number, orderId: string): number | undefined;
  /** The program's own columns of an order were changed outside of `refunded`: they are written by `save`. */
  touch(booked: Booked<X>): void;
  /**
   * One statement per table: inserts orders in key order, updates changed ones, inserts refunds, inserts and deletes
   * parked events. 23505 means that another partition's owner counted the same order id: the host repeats from load.
   */
  save(tx: Tx): Promise<void>;
}
