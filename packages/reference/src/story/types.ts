/**
 * A story: what vectors/vectors.json calls a vector. Amounts are JSON integers in minor units, times ISO 8601 strings in UTC,
 * dates YYYY-MM-DD. The head of that file says what each step means and what is assumed where a field is left out.
 */
export interface Story {
  readonly id: string;
  readonly title: string;
  readonly reading?: string;
  readonly merchant: Partial<Merchant>;
  readonly ladder: Ladder;
  readonly campaigns: readonly CampaignInput[];
  readonly steps: readonly StoryStep[];
}

/** The head of the file and its stories. */
export interface StoryFile {
  readonly format?: readonly string[];
  readonly defaults?: object;
  readonly vectors: readonly Story[];
}

export interface Merchant {
  readonly merchantId: string;
  readonly currency: string;
  readonly timeZone: string;
  readonly clawbackPolicy: "allow_negative" | "clamp_to_zero";
  readonly expiringNoticeDays: number;
}

export interface Settings {
  readonly metric: "net_spend" | "order_count";
  readonly window: "lifetime" | "rolling_days" | "calendar_year" | "anniversary_year";
  readonly days: number | null;
  readonly refundPolicy: "immediate" | "at_period_end";
  readonly downgrade: "drop_to_qualified" | "one_down";
  readonly graceDays: number;
}

export interface Level {
  readonly id: string;
  readonly name: string;
  readonly threshold: number;
  readonly cashbackMultiplierBps: number;
}

/** Levels by strictly rising thresholds. */
export interface Ladder {
  readonly settings: Settings;
  readonly levels: readonly Level[];
}

export interface Products {
  readonly skus?: readonly string[] | null;
  readonly categories?: readonly string[] | null;
}

export interface Campaign {
  readonly id: string;
  readonly name: string;
  readonly rateBps: number;
  readonly startsAt: string;
  readonly endsAt: string | null;
  readonly include: Products | null;
  readonly exclude: Products | null;
  readonly minOrderMinor: number;
  readonly stacking: "best" | "add";
  readonly priority: number;
  readonly perOrderCapMinor: number | null;
  readonly perCustomerCap: { readonly amountMinor: number; readonly period: "day" | "month" | "campaign" } | null;
  readonly budgetMinor: number | null;
  readonly holdDays: number;
  readonly expiry:
    | { readonly type: "never" }
    | { readonly type: "days"; readonly days: number }
    | { readonly type: "end_of_month"; readonly months: number };
  readonly tierMultiplier: boolean;
  readonly status: "draft" | "active" | "paused" | "ended";
}

export type CampaignInput = Pick<Campaign, "id" | "rateBps"> & Partial<Campaign>;

export interface OrderLineInput {
  readonly sku?: string;
  readonly category?: string | null;
  readonly quantity?: number;
  readonly netMinor: number;
}

export interface RefundLine {
  readonly line: number;
  readonly netMinor: number;
}

interface EventHead {
  readonly customerId: string;
  readonly orderId: string;
  readonly merchantId?: string;
  readonly occurredAt?: string;
}

export interface PlacedInput extends EventHead {
  readonly type: "OrderPlaced";
  readonly currency?: string;
  readonly lines: readonly OrderLineInput[];
  readonly paidWithCashbackMinor?: number;
}

export interface RefundedInput extends EventHead {
  readonly type: "OrderRefunded";
  readonly refundId: string;
  readonly lines: readonly RefundLine[];
}

export interface CancelledInput extends EventHead {
  readonly type: "OrderCancelled";
  readonly reason?: string | null;
}

export type EventInput = PlacedInput | RefundedInput | CancelledInput;

export interface LadderEdit extends Ladder {
  readonly apply: "immediate" | "grandfather";
}

export interface PinInput {
  readonly customerId: string;
  readonly levelId: string;
  readonly reason: string;
  readonly actor: string;
  readonly until?: string;
}

export interface MoveInput {
  readonly customerId: string;
  readonly reason: string;
  readonly actor: string;
  readonly until?: string;
}

export interface ReserveInput {
  readonly id: string;
  readonly customerId: string;
  readonly amountMinor: number;
  readonly orderId?: string;
  readonly ttlSeconds: number;
}

export type Step =
  | { readonly at: string; readonly event: EventInput; readonly key?: string; readonly copies?: number }
  | { readonly at: string; readonly raw: string }
  | { readonly at: string; readonly sweep: true }
  | { readonly at: string; readonly pin: PinInput }
  | { readonly at: string; readonly unpin: { readonly customerId: string; readonly actor?: string } }
  | { readonly at: string; readonly promote: MoveInput }
  | { readonly at: string; readonly demote: MoveInput }
  | { readonly at: string; readonly ladder: LadderEdit }
  | { readonly at: string; readonly preview: LadderEdit }
  | { readonly at: string; readonly campaign: CampaignInput }
  | { readonly at: string; readonly reserve: ReserveInput }
  | { readonly at: string; readonly redeem: Omit<ReserveInput, "ttlSeconds"> }
  | { readonly at: string; readonly commit: { readonly id: string } }
  | { readonly at: string; readonly release: { readonly id: string } };

/** What must hold: compared in part, see `matches`. */
export type Expectation = { readonly [key: string]: unknown };

export type StoryStep = Step | { readonly expect: Expectation };
