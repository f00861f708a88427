import type { OrderCancelled, OrderEvent, OrderPlaced, OrderRefunded } from "@perkstream/contracts";
import type { Rejection } from "@perkstream/program";
import { sameContent } from "./content.ts";
import { askedPerLine, type OrderState, type Refund } from "./order.ts";

/**
 * What an event means for what is stored of its order:
 * `counted` a new order; `duplicate` a repeat, nothing changes; `parked` a refund or cancellation before its order;
 * `refunded` it takes something (a first cancellation also when nothing remains: it marks the order as cancelled).
 */
export type Judgement =
  | { readonly kind: "counted"; readonly placed: OrderPlaced }
  | { readonly kind: "duplicate" }
  | { readonly kind: "parked" }
  | { readonly kind: "refunded"; readonly refund: Refund }
  | { readonly kind: "rejected"; readonly rejection: Rejection };

const DUPLICATE: Judgement = { kind: "duplicate" };
const PARKED: Judgement = { kind: "parked" };

/**
 * Judges a checked event against its order, changing nothing; `payload` is the event's framed bytes.
 * An erased customer's events must come with the pseudonym that the stored order bears.
 */
export function judge(order: OrderState | undefined, event: OrderEvent, payload: Buffer): Judgement {
  if (event.type === "OrderPlaced") return judgeOrder(order, event, payload);
  if (order === undefined) return PARKED;
  if (event.customerId !== order.customerId) {
    return rejected("customer_mismatch", `customerId is not that of order ${order.orderId}`);
  }
  return event.type === "OrderRefunded" ? judgeRefund(order, event, payload) : judgeCancellation(order, event, payload);
}

function judgeOrder(order: OrderState | undefined, event: OrderPlaced, payload: Buffer): Judgement {
  if (order === undefined) return { kind: "counted", placed: event };
  if (payload.equals(order.payload)) return DUPLICATE;
  const difference = sameContent(order.placed, event);
  return difference === null ? DUPLICATE : rejected("order_conflict", `order ${order.orderId} was counted with another ${difference}`);
}

function judgeRefund(order: OrderState, event: OrderRefunded, payload: Buffer): Judgement {
  const earlier = order.refunds.get(event.refundId);
  if (earlier !== undefined) {
    if (payload.equals(earlier.payload)) return DUPLICATE;
    const difference = sameContent(earlier.event(), event);
    return difference === null ? DUPLICATE : rejected("refund_conflict", `refund ${event.refundId} was applied with another ${difference}`);
  }
  const remaining = order.remaining;
  const lines: { line: number; amountMinor: bigint }[] = [];
  let totalMinor = 0n;
  for (const [line, amountMinor] of askedPerLine(event.lines)) {
    const left = remaining[line];
    if (left === undefined) return rejected("refund_exceeds_order", `order ${order.orderId} has no line ${line}`);
    if (amountMinor > left) return rejected("refund_exceeds_order", `line ${line} has ${left} left, ${amountMinor} asked`);
    lines.push({ line, amountMinor });
    totalMinor += amountMinor;
  }
  lines.sort((a, b) => a.line - b.line);
  return {
    kind: "refunded",
    refund: { refundId: event.refundId, occurredAt: event.occurredAt, lines, amountMinor: totalMinor, event: () => event, payload },
  };
}

function judgeCancellation(order: OrderState, event: OrderCancelled, payload: Buffer): Judgement {
  if (order.cancelled) return DUPLICATE;
  const lines: { line: number; amountMinor: bigint }[] = [];
  let totalMinor = 0n;
  order.remaining.forEach((amountMinor, line) => {
    if (amountMinor === 0n) return;
    lines.push({ line, amountMinor });
    totalMinor += amountMinor;
  });
  return {
    kind: "refunded",
    refund: { refundId: null, occurredAt: event.occurredAt, lines, amountMinor: totalMinor, event: () => event, payload },
  };
}

function rejected(reason: string, message: string): Judgement {
  return { kind: "rejected", rejection: { reason, message } };
}
