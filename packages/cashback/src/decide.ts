import { type Booked, handle, type OrderEffects, type OrderEntry, type OrderState } from "@perkstream/orders";
import type { Outcome } from "@perkstream/program";
import { type BookedAward, readAwards, storeAwards, storeClawback, storeCurrent } from "./awards.ts";
import { grant, judgeOrder, type Limits, refund, type RefundedOrder } from "./domain/index.ts";
import type { AccountState } from "./store/accounts.ts";
import type { CashbackWork, Held, MerchantWork, OrderExtra, RefundExtra } from "./work.ts";

const MAX_INT8 = 2n ** 63n - 1n;

/** One event of orders.v1, decided. */
export function decideEntry(work: CashbackWork, entry: OrderEntry): Outcome {
  const { event, record } = entry;
  const own = work.merchants.get(event.merchantId);
  if (own === undefined) return handle(work.orders, entry, undefined, effectsOf(work, undefined, undefined));
  const held = work.held(own.merchant, record.partition, record.offset);
  const state = work.account(own.merchant.id, event.customerId);
  if (state !== undefined && state.part !== record.partition) {
    // The lock of one partition guards a customer; its events in another one would go past it.
    const message = `the record is in partition ${record.partition}, its customer's events are in ${state.part}`;
    return { result: { rejected: { reason: "invalid_event", message } }, notices: [] };
  }
  return handle(work.orders, entry, { id: own.merchant.id, currency: held.currency }, effectsOf(work, own, held));
}

function effectsOf(work: CashbackWork, own: MerchantWork | undefined, held: Held | undefined): OrderEffects<OrderExtra, RefundExtra> {
  const need = () => {
    if (own === undefined || held === undefined) throw new Error("an event of an unknown merchant has no effects");
    return { own, held };
  };
  return {
    place({ event }, merchant) {
      return { acct: customerOf(work, merchant, event.customerId).customer.acct, localDay: need().held.calendar.localDay(event.occurredAt) };
    },
    counted(order, entry) {
      const known = need();
      return count(work, known.own, known.held, order, entry);
    },
    refunded(booked, taken, { event, record }, at) {
      const known = need();
      const state = customerOf(work, known.own.merchant.id, event.customerId);
      const latest = Math.max(record.timestamp, event.occurredAt, at.timestamp);
      const posting = work.begin(state, known.held, latest, { partition: record.partition, offset: record.offset });
      const limits = limitsOf(work, state, known.own, known.held, booked.order.place.localDay);
      const { awards, order } = refundedOrder(booked, known.own);
      const effect = refund(posting, order, taken.occurredAt, limits);
      if (effect.clawbacks.length > 0 && booked.extra.awards !== null) booked.extra = { awards: storeCurrent(booked.extra.awards, awards) };
      return {
        asOf: posting.asOf,
        extra: { put_back: effect.putBackMinor, clawbacks: effect.clawbacks.map(storeClawback) },
        notices: work.takeNotices(),
      };
    },
  };
}

function customerOf(work: CashbackWork, merchant: number, customerId: string): AccountState {
  const state = work.account(merchant, customerId);
  if (state === undefined) throw new Error(`customer ${customerId} is not loaded`);
  return state;
}

function limitsOf(work: CashbackWork, state: AccountState, own: MerchantWork, held: Held, localDay: number): Limits {
  return work.limits.of(state.customer.acct, localDay, held.calendar, own.campaigns, (campaign, amountMinor) => work.sums.used(state.part, campaign, amountMinor));
}

function count(work: CashbackWork, own: MerchantWork, held: Held, order: OrderState, { event, record }: OrderEntry) {
  const state = customerOf(work, own.merchant.id, event.customerId);
  const limits = limitsOf(work, state, own, held, order.place.localDay);
  const campaigns = own.campaigns.at(record.partition, record.offset);
  const multiplierBps = work.levels.get(`${record.partition}:${record.offset}`)?.multiplierBps ?? 10_000;
  const { eligible, awards, notEligible } = judgeOrder(order.placed, campaigns, multiplierBps, limits);
  const { customer } = state;
  let total = customer.pendingMinor + customer.availableMinor + customer.reservedMinor;
  for (const award of awards) total += award.awardedMinor;
  if (total > MAX_INT8) {
    return { rejected: { reason: "invalid_event", message: "the customer's cashback would be more than any store can hold" } };
  }
  const cause = { partition: record.partition, offset: record.offset };
  const posting = work.begin(state, held, Math.max(record.timestamp, event.occurredAt), cause);
  const lots = grant(posting, order, eligible, awards, limits, () => work.nextLotId(state.part));
  work.granted(state, lots);
  const lotByCampaign = new Map(lots.map((lot) => [lot.campaign, lot.lotId]));
  const booked: BookedAward[] = awards.map((award) => ({ award, lot: lotByCampaign.get(award.campaign) ?? null }));
  return { extra: { awards: storeAwards(booked, notEligible) }, notices: work.takeNotices() };
}

/** A stored order as the domain's refund wants it. `awards` are the same objects, so that what a refund changes can be stored. */
export function refundedOrder({ order, extra }: Booked<OrderExtra>, own: MerchantWork): { awards: BookedAward[]; order: RefundedOrder } {
  const awards = readAwards(extra.awards, (campaign) => own.campaigns.campaignId(campaign));
  const { orderId, lines, paidWithCashbackMinor, remaining } = order;
  return { awards, order: { orderId, lines, paidWithCashbackMinor, remaining, awards: awards.map(({ award }) => award) } };
}
