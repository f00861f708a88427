import { type Booked, handle, type OrderEffects, type OrderEntry, type OrderState, type Refund } from "@perkstream/orders";
import { type Notice, type Outcome, placeOf } from "@perkstream/program";
import { type BookedAward, readAwards, storeAwards, storeClawback, storeCurrent } from "./awards.ts";
import { grant, judgeOrder, type Limits, refund, type RefundedOrder } from "./domain/index.ts";
import type { AccountState } from "./store/accounts.ts";
import type { CashbackWork, Held, MerchantWork, OrderExtra, RefundExtra } from "./work.ts";

const MAX_INT8 = 2n ** 63n - 1n;

/** One event of orders.v1, decided. */
export function decideEntry(work: CashbackWork, entry: OrderEntry): Outcome {
  const { event, record } = entry;
  const own = work.merchants.get(event.merchantId);
  if (own === undefined) return handle(work.orders, entry, undefined, new Effects(work, null, null));
  const held = work.held(own.merchant, record.partition, placeOf(entry));
  const state = work.account(own.merchant.id, event.customerId);
  if (state !== undefined && state.part !== record.partition) {
    // The lock of one partition guards a customer; its events in another one would go past it.
    const message = `the record is in partition ${record.partition}, its customer's events are in ${state.part}`;
    return { result: { rejected: { reason: "invalid_event", message } }, notices: [] };
  }
  return handle(work.orders, entry, { id: own.merchant.id, currency: held.currency }, new Effects(work, own, held));
}

/** What cashback does about one event of a merchant. */
class Effects implements OrderEffects<OrderExtra, RefundExtra> {
  readonly #work: CashbackWork;
  readonly #own: MerchantWork | null;
  readonly #held: Held | null;

  constructor(work: CashbackWork, own: MerchantWork | null, held: Held | null) {
    this.#work = work;
    this.#own = own;
    this.#held = held;
  }

  place({ event }: OrderEntry): { acct: number; localDay: number } {
    const { held } = this.#rules();
    return { acct: this.#customer(event.customerId).customer.acct, localDay: held.calendar.localDay(event.occurredAt) };
  }

  counted(order: OrderState, entry: OrderEntry) {
    const { event, record } = entry;
    const work = this.#work;
    const place = `${record.partition}:${record.offset}`;
    if (work.ofOthers.size > 0 && work.ofOthers.has(place)) {
      return { rejected: { reason: "order_conflict", message: `order ${order.orderId} was counted with another customerId` } };
    }
    const { own, held } = this.#rules();
    const state = this.#customer(event.customerId);
    const limits = this.#limits(state, order.place.localDay);
    const campaigns = own.campaigns.at(record.partition, placeOf(entry));
    const multiplierBps = work.levels.get(place)?.multiplierBps ?? 10_000;
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
    const booked: BookedAward[] = awards.map((award) => ({
      award,
      lot: award.awardedMinor === 0n ? null : (lots.find((lot) => lot.campaign === award.campaign)?.lotId ?? null),
    }));
    return { extra: { awards: storeAwards(booked, notEligible) }, notices: work.takeNotices() };
  }

  refunded(
    booked: Booked<OrderExtra>,
    taken: Refund,
    { event, record }: OrderEntry,
    at: OrderEntry,
  ): { asOf: number; extra: RefundExtra; notices: readonly Notice[] } {
    const work = this.#work;
    const { own, held } = this.#rules();
    const state = this.#customer(event.customerId);
    const latest = Math.max(record.timestamp, event.occurredAt, at.record.timestamp);
    const posting = work.begin(state, held, latest, { partition: record.partition, offset: record.offset });
    const { awards, order } = refundedOrder(booked, own);
    const effect = refund(posting, order, taken.occurredAt, this.#limits(state, booked.order.place.localDay));
    if (effect.clawbacks.length > 0 && booked.extra.awards !== null) booked.extra = { awards: storeCurrent(booked.extra.awards, awards) };
    const clawbacks = effect.clawbacks.map(storeClawback);
    return { asOf: posting.asOf, extra: { put_back: effect.putBackMinor, clawbacks }, notices: work.takeNotices() };
  }

  #rules(): { own: MerchantWork; held: Held } {
    if (this.#own === null || this.#held === null) throw new Error("an event of an unknown merchant has no effects");
    return { own: this.#own, held: this.#held };
  }

  #customer(customerId: string): AccountState {
    const state = this.#work.account(this.#rules().own.merchant.id, customerId);
    if (state === undefined) throw new Error(`customer ${customerId} is not loaded`);
    return state;
  }

  #limits(state: AccountState, localDay: number): Limits {
    const { own, held } = this.#rules();
    const { sums, limits } = this.#work;
    const place = { acct: state.customer.acct, part: state.part, localDay };
    return limits.of(place, held.calendar, own.campaigns, (campaign, amountMinor) => sums.used(state.part, campaign, amountMinor));
  }
}

/** A stored order as the domain's refund wants it. `awards` are the same objects, so that what a refund changes can be stored. */
export function refundedOrder({ order, extra }: Booked<OrderExtra>, own: MerchantWork): { awards: BookedAward[]; order: RefundedOrder } {
  const awards = readAwards(extra.awards, (campaign) => own.campaigns.campaignId(campaign));
  const { orderId, lines, paidWithCashbackMinor, remaining } = order;
  return { awards, order: { orderId, lines, paidWithCashbackMinor, remaining, awards: awards.map(({ award }) => award) } };
}
