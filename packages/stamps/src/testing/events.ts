import type { OrderCancelled, OrderPlaced, OrderRefunded } from "@perkstream/contracts";
import { merchantId } from "./memory-program.ts";

/** 2025-01-10T12:00:00Z */
export const NOON = Date.UTC(2025, 0, 10, 12);
const common = (orderId: string) => ({ merchantId, customerId: "ann", orderId, occurredAt: NOON });

/** Lines as `[category, quantity, netMinor]`. */
export function placed(orderId: string, lines: readonly (readonly [string | null, number, number])[]): OrderPlaced {
  return {
    type: "OrderPlaced",
    ...common(orderId),
    currency: "USD",
    lines: lines.map(([category, quantity, netMinor]) => ({ sku: "sku", category, quantity, netMinor: BigInt(netMinor) })),
    paidWithCashbackMinor: 0n,
  };
}

export function refunded(orderId: string, refundId: string, lines: readonly (readonly [number, number])[]): OrderRefunded {
  return {
    type: "OrderRefunded",
    ...common(orderId),
    refundId,
    lines: lines.map(([line, netMinor]) => ({ line, netMinor: BigInt(netMinor) })),
  };
}

export function cancelled(orderId: string): OrderCancelled {
  return { type: "OrderCancelled", ...common(orderId), reason: null };
}
