import type { NotificationEvent } from "../notifications.ts";
import type { OrderEvent } from "../orders.ts";

const merchantId = "4f981b0b-accf-4eb7-8018-7cd651c7e907";
const orders = { merchantId, customerId: "customer-7", orderId: "order-42", occurredAt: Date.UTC(2025, 0, 31, 12, 34, 56, 789) };
const notices = { id: "c0a8d5a4-4b5e-5d0e-9a52-0d3c1c1f2b11", ...orders };

/** One record of every type; their bytes are committed in golden/. Never changed once released, only added to. */
export const samples: readonly (OrderEvent | NotificationEvent)[] = [
  { type: "OrderCancelled", ...orders, reason: "changed my mind – sorry" },
  {
    type: "OrderPlaced",
    ...orders,
    currency: "USD",
    lines: [
      { sku: "85123A", category: null, quantity: 6, netMinor: 1530n },
      { sku: "größe-XL", category: "T-shirts", quantity: 2 ** 31 - 1, netMinor: 2n ** 53n - 1n },
    ],
    paidWithCashbackMinor: 250n,
  },
  {
    type: "OrderRefunded",
    ...orders,
    refundId: "refund-1",
    lines: [
      { line: 0, netMinor: 1530n },
      { line: 1, netMinor: 2n ** 63n - 1n },
    ],
  },
  { type: "CashbackAvailable", ...notices, amountMinor: 49n, currency: "USD", balanceMinor: 98n },
  {
    type: "CashbackEarned",
    ...notices,
    amountMinor: 49n,
    currency: "USD",
    campaigns: ["Spring", "Доброе утро"],
    availableAt: orders.occurredAt + 14 * 86_400_000,
    expiresAt: null,
    balanceMinor: -12_345n,
  },
  { type: "CashbackExpired", ...notices, amountMinor: 49n, currency: "USD", balanceMinor: 0n },
  { type: "CashbackExpiring", ...notices, amountMinor: 49n, currency: "USD", expiresAt: 4_102_444_800_000 },
  { type: "CashbackRedeemed", ...notices, orderId: null, amountMinor: 1n, currency: "JPY", balanceMinor: -(2n ** 63n) },
  { type: "CashbackReversed", ...notices, amountMinor: 300n, currency: "USD", balanceMinor: 64n },
  {
    type: "TierChanged",
    ...notices,
    fromTier: null,
    toTier: "Gold",
    direction: "PROMOTED",
    reason: "order",
    nextTier: "Platinum",
    toNextTierMinor: 150_001n,
  },
];
