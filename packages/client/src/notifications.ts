/**
 * What a customer can be told, as JSON: amounts are integers in minor units of `currency`, times are ISO 8601 in UTC.
 * The same fields as schemas/notifications/*.avsc; a test compares the two.
 */

interface Common {
  /** UUIDv5 of what caused it: the same after a replay. */
  id: string;
  merchantId: string;
  customerId: string;
  /** Event time of the cause. */
  occurredAt: string;
  /** The order that caused it, if one did. */
  orderId: string | null;
}

export interface CashbackAvailable extends Common {
  amountMinor: number;
  currency: string;
  balanceMinor: number;
}

export interface CashbackEarned extends Common {
  amountMinor: number;
  currency: string;
  /** Names of the campaigns that paid. */
  campaigns: string[];
  /** When it can be spent; not after occurredAt when it can be spent at once. */
  availableAt: string;
  expiresAt: string | null;
  /** Available less debt, after the order; may be below 0. */
  balanceMinor: number;
}

export interface CashbackExpired extends Common {
  amountMinor: number;
  currency: string;
  balanceMinor: number;
}

export interface CashbackExpiring extends Common {
  amountMinor: number;
  currency: string;
  expiresAt: string;
}

export interface CashbackRedeemed extends Common {
  amountMinor: number;
  currency: string;
  balanceMinor: number;
}

export interface CashbackReversed extends Common {
  amountMinor: number;
  currency: string;
  balanceMinor: number;
}

export interface TierChanged extends Common {
  /** Names of the tiers; null for none. */
  fromTier: string | null;
  toTier: string | null;
  direction: "PROMOTED" | "DEMOTED" | "OTHER";
  /** order, refund, period_end, rules_changed, pinned or unpinned. */
  reason: string;
  nextTier: string | null;
  /** In the unit of the ladder's metric: minor units or a number of orders. */
  toNextTierMinor: number | null;
}

/** Data by notification type. A program of one's own adds its types by declaration merging. */
export interface Notifications {
  CashbackAvailable: CashbackAvailable;
  CashbackEarned: CashbackEarned;
  CashbackExpired: CashbackExpired;
  CashbackExpiring: CashbackExpiring;
  CashbackRedeemed: CashbackRedeemed;
  CashbackReversed: CashbackReversed;
  TierChanged: TierChanged;
}

export type NotificationType = keyof Notifications;

/** One notification. `cursor` is `<partition>:<offset>`; the server may also send types that this version does not list. */
export type Note<T extends NotificationType = NotificationType> = {
  [K in T]: { cursor: string; id: string; type: K; at: string; data: Notifications[K] };
}[T];
