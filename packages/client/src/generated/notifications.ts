// Made by `npm run schemas -- generate` from schemas/notifications/; do not edit.

/** Cashback left its holding period and can be spent. */
export interface CashbackAvailable {
  /** UUIDv5 of what caused it; the same after a replay. */
  id: string;
  merchantId: string;
  customerId: string;
  /** Event time of the cause. */
  occurredAt: string;
  /** The order that caused it, if one did. */
  orderId: string | null;
  amountMinor: number;
  currency: string;
  balanceMinor: number;
}

/** The customer earned cashback with an order. */
export interface CashbackEarned {
  /** UUIDv5 of what caused it; the same after a replay. */
  id: string;
  merchantId: string;
  customerId: string;
  /** Event time of the cause. */
  occurredAt: string;
  /** The order that caused it, if one did. */
  orderId: string | null;
  amountMinor: number;
  currency: string;
  /** Names of the campaigns that paid. */
  campaigns: string[];
  /** When it can be spent; not after occurredAt when it can be spent at once. */
  availableAt: string;
  expiresAt: string | null;
  /** Available balance less debt, after the order. */
  balanceMinor: number;
}

/** Available cashback expired. */
export interface CashbackExpired {
  /** UUIDv5 of what caused it; the same after a replay. */
  id: string;
  merchantId: string;
  customerId: string;
  /** Event time of the cause. */
  occurredAt: string;
  /** The order that caused it, if one did. */
  orderId: string | null;
  amountMinor: number;
  currency: string;
  balanceMinor: number;
}

/** Available cashback is about to expire. */
export interface CashbackExpiring {
  /** UUIDv5 of what caused it; the same after a replay. */
  id: string;
  merchantId: string;
  customerId: string;
  /** Event time of the cause. */
  occurredAt: string;
  /** The order that caused it, if one did. */
  orderId: string | null;
  amountMinor: number;
  currency: string;
  expiresAt: string;
}

/** The customer paid with cashback. */
export interface CashbackRedeemed {
  /** UUIDv5 of what caused it; the same after a replay. */
  id: string;
  merchantId: string;
  customerId: string;
  /** Event time of the cause. */
  occurredAt: string;
  /** The order that caused it, if one did. */
  orderId: string | null;
  amountMinor: number;
  currency: string;
  balanceMinor: number;
}

/** A refund or a cancellation took cashback back. */
export interface CashbackReversed {
  /** UUIDv5 of what caused it; the same after a replay. */
  id: string;
  merchantId: string;
  customerId: string;
  /** Event time of the cause. */
  occurredAt: string;
  /** The order that caused it, if one did. */
  orderId: string | null;
  amountMinor: number;
  currency: string;
  balanceMinor: number;
}

/** Units of an order were bought on a full card; sent at most once per order and card, each reward in exactly one. */
export interface RewardEarned {
  /** UUIDv5 of what caused it; the same after a replay. */
  id: string;
  merchantId: string;
  customerId: string;
  /** Event time of the cause. */
  occurredAt: string;
  /** The order that caused it, if one did. */
  orderId: string | null;
  cardId: string;
  /** Name of the card. */
  card: string;
  /** Units that are rewarded; one unless the order fills the card again. */
  rewards: number;
  /** What these units cost: the net of a line divided by its quantity, rounded down, for each. */
  amountMinor: number;
  currency: string;
  /** On the card after the order. */
  stamps: number;
}

/** An order put stamps on the customer's card; sent at most once per order and card. */
export interface StampAdded {
  /** UUIDv5 of what caused it; the same after a replay. */
  id: string;
  merchantId: string;
  customerId: string;
  /** Event time of the cause. */
  occurredAt: string;
  /** The order that caused it, if one did. */
  orderId: string | null;
  cardId: string;
  /** Name of the card. */
  card: string;
  /** Units of the order that gave a stamp; rewarded ones give none. */
  added: number;
  /** On the card after the order; at size the next unit is rewarded. */
  stamps: number;
  /** Stamps that fill the card. */
  size: number;
}

/** The customer's tier id changed; sent exactly once per change. */
export interface TierChanged {
  /** UUIDv5 of what caused it; the same after a replay. */
  id: string;
  merchantId: string;
  customerId: string;
  /** Event time of the cause. */
  occurredAt: string;
  /** The order that caused it, if one did. */
  orderId: string | null;
  /** Name of the tier left; null when the customer had none. */
  fromTier: string | null;
  /** Name of the tier entered; null when the customer has none now. */
  toTier: string | null;
  direction: "PROMOTED" | "DEMOTED" | "OTHER";
  /** order, refund, period_end, rules_changed, pinned or unpinned. */
  reason: string;
  nextTier: string | null;
  /** Metric still missing for nextTier. */
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
  RewardEarned: RewardEarned;
  StampAdded: StampAdded;
  TierChanged: TierChanged;
}
