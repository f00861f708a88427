import { readFileSync } from "node:fs";

/** What is used here of the format that the head of vectors.json explains. */
export interface Vector {
  readonly id: string;
  readonly title: string;
  readonly merchant: {
    readonly currency: string;
    readonly timeZone: string;
    readonly clawbackPolicy: string;
    readonly expiringNoticeDays?: number;
  };
  readonly ladder: { readonly settings: LadderSettings; readonly levels: readonly Level[] };
  readonly campaigns: readonly CampaignText[];
  readonly steps: readonly Step[];
}

export interface LadderSettings {
  readonly window: string;
  readonly days?: number | null;
}

export interface Level {
  readonly id: string;
  readonly threshold: number;
  readonly cashbackMultiplierBps: number;
}

export interface CampaignText {
  readonly id: string;
  readonly rateBps: number;
  readonly name?: string;
  readonly startsAt?: string;
  readonly endsAt?: string | null;
  readonly include?: { skus?: string[]; categories?: string[] } | null;
  readonly exclude?: { skus?: string[]; categories?: string[] } | null;
  readonly minOrderMinor?: number;
  readonly stacking?: "best" | "add";
  readonly priority?: number;
  readonly perOrderCapMinor?: number | null;
  readonly perCustomerCap?: { amountMinor: number; period: "day" | "month" | "campaign" } | null;
  readonly budgetMinor?: number | null;
  readonly holdDays?: number;
  readonly expiry?: { type: "never" } | { type: "days"; days: number } | { type: "end_of_month"; months: number };
  readonly tierMultiplier?: boolean;
  readonly status?: "draft" | "active" | "paused" | "ended";
}

export interface EventText {
  readonly type: "OrderPlaced" | "OrderRefunded" | "OrderCancelled";
  readonly customerId: string;
  readonly orderId: string;
  readonly merchantId?: string;
  readonly refundId?: string;
  readonly currency?: string;
  readonly occurredAt?: string;
  readonly paidWithCashbackMinor?: number;
  readonly lines?: readonly { sku?: string; category?: string | null; quantity?: number; netMinor: number; line?: number }[];
}

export interface Take {
  readonly id: string;
  readonly customerId: string;
  readonly amountMinor: number;
  readonly orderId?: string;
  readonly ttlSeconds?: number;
}

export interface Pin {
  readonly customerId: string;
  readonly levelId?: string;
  readonly until?: string;
}

export interface Step {
  readonly at?: string;
  readonly event?: EventText;
  readonly key?: string;
  readonly copies?: number;
  readonly raw?: string;
  readonly sweep?: boolean;
  readonly campaign?: CampaignText;
  readonly reserve?: Take;
  readonly redeem?: Take;
  readonly commit?: { readonly id: string };
  readonly release?: { readonly id: string };
  readonly pin?: Pin;
  readonly unpin?: Pin;
  readonly promote?: Pin;
  readonly demote?: Pin;
  readonly expect?: Readonly<Record<string, unknown>>;
}

const files = ["vectors.json", "found.json"].map((name) => new URL(`../../../../vectors/${name}`, import.meta.url));

/** Every vector that has campaigns: the others say nothing about cashback. */
export function cashbackVectors(): readonly Vector[] {
  const vectors = files.flatMap((file) => (JSON.parse(readFileSync(file, "utf8")) as { vectors: Vector[] }).vectors);
  return vectors.filter((vector) => vector.campaigns.length > 0);
}

export const merchantId = "4f981b0b-accf-4eb7-8018-7cd651c7e907";
