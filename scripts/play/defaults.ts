import type { OrderEvent } from "@perkstream/contracts";
import type { Step, Story, StoryCampaign, StoryEvent, StoryLadder } from "./story.ts";

/* What a story leaves out, as the head of vectors.json has it. */

export interface StoryMerchant {
  readonly currency: string;
  readonly timeZone: string;
  readonly clawbackPolicy: string;
  readonly expiringNoticeDays: number;
}

export function merchantOf({ merchant }: Story): StoryMerchant {
  return {
    currency: merchant?.currency ?? "USD",
    timeZone: merchant?.timeZone ?? "UTC",
    clawbackPolicy: merchant?.clawbackPolicy ?? "allow_negative",
    expiringNoticeDays: merchant?.expiringNoticeDays ?? 0,
  };
}

/** The body of `PUT /v1/tiers`. */
export function ladderBody({ settings = {}, levels }: StoryLadder) {
  const { metric = "net_spend", window = "rolling_days", days, refundPolicy = "immediate" } = settings;
  const { downgrade = "drop_to_qualified", graceDays = 0 } = settings;
  // The API knows `days` only with a window of days.
  const ofWindow = window === "rolling_days" ? { window, days: days ?? 365 } : { window };
  return { settings: { metric, ...ofWindow, refundPolicy, downgrade, graceDays }, levels };
}

/** The body of `POST /v1/campaigns`; of `PATCH` too, where null clears what the story no longer has. */
export function campaignBody(campaign: StoryCampaign) {
  return {
    name: campaign.name ?? campaign.id,
    rateBps: campaign.rateBps,
    startsAt: campaign.startsAt ?? "2000-01-01T00:00:00Z",
    endsAt: campaign.endsAt ?? null,
    include: filterBody(campaign.include),
    exclude: filterBody(campaign.exclude),
    minOrderMinor: campaign.minOrderMinor ?? 0,
    stacking: campaign.stacking ?? "best",
    priority: campaign.priority ?? 0,
    perOrderCapMinor: campaign.perOrderCapMinor ?? null,
    perCustomerCap: campaign.perCustomerCap ?? null,
    budgetMinor: campaign.budgetMinor ?? null,
    holdDays: campaign.holdDays ?? 0,
    expiry: campaign.expiry ?? { type: "never" },
    tierMultiplier: campaign.tierMultiplier ?? true,
    status: campaign.status ?? "active",
  };
}

function filterBody(filter: StoryCampaign["include"]) {
  if (filter === null || filter === undefined) return null;
  return { ...(filter.skus && { skus: filter.skus }), ...(filter.categories && { categories: filter.categories }) };
}

/** One record of orders.v1: what is in it and the time of the record itself. */
export interface OutgoingEvent {
  readonly event: StoryEvent | null;
  /** The bytes of a record that is no event. */
  readonly raw: Buffer | null;
  readonly key: string;
  readonly at: string;
}

/** The records of a step with an event or raw bytes, copies included. */
export function eventsOf(step: Step, merchantId: string): OutgoingEvent[] {
  const at = step.at ?? "";
  // A key of bytes that do not decode says at least whose they are.
  if (step.raw !== undefined) {
    return [{ event: null, raw: Buffer.from(step.raw, "hex"), key: step.key ?? `${merchantId}:raw`, at }];
  }
  const { event, copies } = step;
  if (event === undefined) return [];
  const key = step.key ?? `${event.merchantId ?? merchantId}:${event.customerId}`;
  const orderIds = copies === undefined ? [event.orderId] : Array.from({ length: copies }, (_, n) => `${event.orderId}-${n + 1}`);
  return orderIds.map((orderId) => ({ event: { ...event, orderId }, raw: null, key, at }));
}

/** The event as it is encoded, with what the story leaves out. */
export function orderEvent(event: StoryEvent, at: string, merchant: StoryMerchant & { readonly merchantId: string }): OrderEvent {
  const common = {
    merchantId: event.merchantId ?? merchant.merchantId,
    customerId: event.customerId,
    orderId: event.orderId,
    occurredAt: Date.parse(event.occurredAt ?? at),
  };
  const { type, lines = [], refundId = "", reason = null, paidWithCashbackMinor = 0 } = event;
  if (type === "OrderCancelled") return { type, ...common, reason };
  if (type === "OrderRefunded") {
    return { type, ...common, refundId, lines: lines.map(({ line = 0, netMinor }) => ({ line, netMinor: BigInt(netMinor) })) };
  }
  return {
    type,
    ...common,
    currency: event.currency ?? merchant.currency,
    lines: lines.map(({ sku = "sku", category = null, quantity = 1, netMinor }) => ({
      sku,
      category,
      quantity,
      netMinor: BigInt(netMinor),
    })),
    paidWithCashbackMinor: BigInt(paidWithCashbackMinor),
  };
}
