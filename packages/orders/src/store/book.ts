import type { Tx } from "@perkstream/postgres";
import type { OrderDecoder } from "../decode.ts";
import type { OrderEntry } from "../handle.ts";
import { MerchantMap } from "../merchant-map.ts";
import type { OrderBookOptions, WorkingOrders } from "./contract.ts";
import { createReader, type Keys, type OrderKey, type Wanted } from "./read.ts";
import { createWriter } from "./write.ts";
import { WorkingSet } from "./working.ts";

/** Reads and writes the order tables of one program. Holds no state of its own. */
export interface OrderBook<X, R> {
  /**
   * Reads what the chunk's events need, in one round trip: which of these orders exist, refunds of orders that a
   * refund or cancellation names, and parked events of orders that are placed. Entries of merchants that are not in
   * `merchants` (unknown ones) are left out. Runs under the progress lock.
   */
  load(tx: Tx, entries: readonly OrderEntry[], merchants: ReadonlyMap<string, { readonly id: number }>): Promise<WorkingOrders<X, R>>;
  /** The same for orders by id, with their refunds: for commands of the API (linking a redemption, why). */
  loadOrders(tx: Tx, keys: readonly OrderKey[]): Promise<WorkingOrders<X, R>>;
}

/**
 * The order tables made by `orderTables`, for a program's `load`, `decide` and `save`. `X` and `R` are the rows of
 * the program's own columns; what was stored in them is trusted to be of these types when it is read.
 */
export function createOrderBook<X, R>(options: OrderBookOptions<X, R>): OrderBook<X, R> {
  const reader = createReader(options);
  const writer = createWriter(options);
  return {
    async load(tx, entries, merchants) {
      const wanted: Wanted = { orders: new MerchantMap(), refunds: new MerchantMap(), parked: new MerchantMap() };
      for (const { event } of entries) {
        const merchant = merchants.get(event.merchantId)?.id;
        if (merchant === undefined) continue;
        const key = { merchant, order_id: event.orderId };
        wanted.orders.set(merchant, event.orderId, key);
        (event.type === "OrderPlaced" ? wanted.parked : wanted.refunds).set(merchant, event.orderId, key);
      }
      return new WorkingSet(await reader.read(tx, wanted), options.decoder, writer);
    },
    async loadOrders(tx, keys) {
      const orders: Keys = new MerchantMap();
      for (const { merchant, orderId } of keys) orders.set(merchant, orderId, { merchant, order_id: orderId });
      return new WorkingSet(await reader.read(tx, { orders, refunds: orders, parked: new MerchantMap() }), options.decoder, writer);
    },
  };
}

/**
 * Orders that begin with nothing stored: for drivers, backtests and tests of programs. `save` writes nothing, and the
 * set stays usable after it.
 */
export function emptyOrders<X, R>(decoder: OrderDecoder): WorkingOrders<X, R> {
  return new WorkingSet<X, R>({ orders: new MerchantMap(), parked: new MerchantMap() }, decoder, async () => {});
}
