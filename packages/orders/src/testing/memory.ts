import type { OrderState, Refund } from "../domain/order.ts";
import type { Booked, OrderEffects, OrderEntry } from "../handle.ts";
import { emptyOrders } from "../store/book.ts";
import type { WorkingOrders } from "../store/contract.ts";
import { jsonDecoder } from "./events.ts";

export interface Extra {
  readonly level: string | null;
  taken: number;
}

export interface RefundExtra {
  readonly note: string;
}

/** Orders that nobody stores. */
export function memoryOrders(): WorkingOrders<Extra, RefundExtra> {
  return emptyOrders(jsonDecoder);
}

/** Effects that write down what they were asked for. */
export function recordingEffects(): OrderEffects<Extra, RefundExtra> & { readonly log: string[] } {
  const log: string[] = [];
  return {
    log,
    place: () => ({ acct: 7, localDay: 20_098 }),
    counted(order: OrderState) {
      log.push(`counted ${order.orderId} ${order.netMinor}`);
      return { extra: { level: "gold", taken: 0 }, notices: [{ id: order.orderId, key: "k", value: order.payload }] };
    },
    refunded(booked: Booked<Extra>, refund: Refund, entry: OrderEntry, at) {
      booked.extra.taken += Number(refund.amountMinor);
      log.push(`refunded ${refund.refundId} ${refund.amountMinor} of ${entry.record.offset} at ${at.record.offset}`);
      return {
        asOf: entry.record.timestamp,
        extra: { note: String(refund.refundId) },
        notices: [{ id: String(refund.refundId), key: "k", value: refund.payload }],
      };
    },
  };
}
