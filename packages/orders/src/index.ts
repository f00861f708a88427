export {
  checkEvent,
  END_OF_TIME_MS,
  MAX_ID_CHARACTERS,
  MAX_LINES,
  MAX_MINOR,
  MAX_TEXT_CHARACTERS,
  type CheckedRecord,
} from "./domain/check.ts";
export { sameContent } from "./domain/content.ts";
export { judge, type Judgement } from "./domain/judge.ts";
export { OrderState, type Place, type Refund } from "./domain/order.ts";
export { asOf, isMerchantId, MAX_AHEAD_MS, preconditions, scopeOf } from "./domain/preconditions.ts";
export { decodeOrder, type OrderDecoder } from "./decode.ts";
export { handle, type Booked, type Ledger, type OrderEffects, type OrderEntry, type OrderMerchant } from "./handle.ts";
export { MerchantMap } from "./merchant-map.ts";
export { createOrderBook, emptyOrders, type OrderBook } from "./store/book.ts";
export type { OrderBookOptions, WorkingOrders } from "./store/contract.ts";
export type { ExtraType, ExtraTypes } from "./store/extra.ts";
export type { OrderKey } from "./store/read.ts";
export { orderRights } from "./store/rights.ts";
