/* The merchant API's answers, as far as a story looks at them. */

export interface CustomerAnswer {
  readonly customerId: string;
  readonly tier: { id: string; name: string; since: string; validUntil: string | null; pinned: boolean } | null;
  readonly metric: number;
  readonly lastPeriodMetric: number | null;
  readonly nextTier: { id: string; name: string; missing: number } | null;
  readonly cashback: {
    pendingMinor: number;
    availableMinor: number;
    reservedMinor: number;
    debtMinor: number;
    balanceMinor: number;
    currency: string;
    nextExpiry: { amountMinor: number; at: string } | null;
  };
}

export interface HistoryAnswer {
  readonly from: string | null;
  readonly to: string | null;
  readonly reason: string;
  readonly actor: string;
  readonly asOf: string;
  readonly partition: number;
  readonly offset: number;
  readonly ruleVersion: number;
  readonly orderId: string | null;
}

export interface LotAnswer {
  readonly orderId: string;
  readonly campaignId: string;
  readonly grantedMinor: number;
  readonly pendingMinor: number;
  readonly availableMinor: number;
  readonly reservedMinor: number;
  readonly redeemedMinor: number;
  readonly expiredMinor: number;
  readonly reversedMinor: number;
  readonly availableAt: string;
  readonly expiresAt: string | null;
}

export interface TransferAnswer {
  readonly id: unknown;
  readonly debit: string;
  readonly credit: string;
  readonly amountMinor: number;
  readonly kind: string;
  readonly orderId: string;
  readonly campaignId: string;
  readonly cause: { topic?: string; partition?: number; offset?: number; requestId?: string; due?: string };
  readonly asOf: string;
}

export interface OrderAnswer {
  readonly orderId: string;
  readonly customerId: string;
  readonly lines: readonly { line: number; netMinor: number; baseMinor: number; remainingMinor: number }[];
  readonly awards: readonly AwardAnswer[];
  readonly notEligible: readonly { campaignId: string; reason: string }[];
  readonly refunds: readonly RefundAnswer[];
}

export interface AwardAnswer {
  readonly campaignId: string;
  readonly version: number;
  readonly rateBps: number;
  readonly multiplierBps: number;
  readonly awardedMinor: number;
  readonly currentMinor: number;
  readonly lines: readonly number[];
  readonly why: { readonly version: number };
}

export interface RefundAnswer {
  readonly refundId: string | null;
  readonly asOf: string;
  readonly amountMinor: number;
  readonly putBackMinor: number;
  readonly clawbacks: readonly ClawbackAnswer[];
}

export interface ClawbackAnswer {
  readonly campaignId: string;
  readonly amountMinor: number;
  readonly pendingMinor: number;
  readonly availableMinor: number;
  readonly expiredMinor: number;
  readonly otherLotsMinor: number;
  readonly debtMinor: number;
  readonly writtenOffMinor: number;
}

export interface RedemptionAnswer {
  readonly redemptionId: string;
  readonly status: string;
  readonly amountMinor: number;
  readonly restoredMinor: number;
  readonly parts: readonly { orderId: string; campaignId: string; amountMinor: number; restoredMinor: number }[];
}

export interface StatsAnswer {
  readonly usedMinor: number;
  readonly budgetLeftMinor: number | null;
}

export interface CapAnswer {
  readonly campaignId: string;
  readonly period: string;
  readonly usedMinor: number;
}

export interface CountsAnswer {
  readonly tier: { events: number; duplicates: number; parked: number };
  readonly cashback: { events: number; duplicates: number; parked: number };
}

export interface NoteAnswer {
  readonly cursor: string;
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly read: boolean;
}

export interface DeadLetterAnswer {
  readonly id: unknown;
  readonly program: "tier" | "cashback";
  readonly reason: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}
