import { type Merchant, settingsAt } from "@perkstream/merchant";
import { type Booked, handle, type OrderEffects, type OrderEntry, type OrderState, type Refund } from "@perkstream/orders";
import { type Notice, type Outcome, placeOf } from "@perkstream/program";
import {
  type AppliedRow,
  differingFields,
  ReplayLedger,
  type ReplayedRefund,
  type ReplayMachine,
  type ReplayPlace,
} from "@perkstream/verify";
import { type BookedAward, storeAwards, storeClawback, storeCurrent } from "../awards.ts";
import { calendarOf } from "../calendar.ts";
import { refundedOrder } from "../decide.ts";
import {
  applyDue,
  asOfFor,
  type Cause,
  type Customer,
  grant,
  judgeOrder,
  type Limits,
  newCustomer,
  type NoticeValue,
  type Posting,
  refund,
  type Transfer,
} from "../domain/index.ts";
import type { Held, OrderExtra, RefundExtra } from "../work.ts";
import { type CommandDetail, decideCommand } from "./commands.ts";
import { compareAwards, compareClawbacks } from "./compare-awards.ts";
import type { CashbackReplayOptions } from "./replay-options.ts";
import type { CashbackOrderRow, CashbackRefundRow } from "./rows.ts";
import { Shelf } from "./shelf.ts";
import { StoredOrder } from "./stored-order.ts";
import { CustomerUsage, limitsOf } from "./usage.ts";

/** One customer of the cashback program, played anew from the first event on. */
export class CashbackReplay implements ReplayMachine<OrderExtra, RefundExtra, CashbackOrderRow, CashbackRefundRow> {
  readonly ledger: ReplayLedger<OrderExtra, RefundExtra>;
  readonly customer: Customer;
  readonly shelf: Shelf;
  readonly usage = new CustomerUsage();
  known = false;
  /** Campaigns that paid the customer, in the order of the first time. */
  readonly campaigns: number[] = [];
  readonly #options: CashbackReplayOptions;
  readonly #effects: OrderEffects<OrderExtra, RefundExtra>;
  #place: ReplayPlace = { partition: 0, offset: 0, n: 0 };
  #merchant: Merchant | null = null;
  #held: Held | null = null;
  #stored: StoredOrder | null = null;
  #redrive: AppliedRow | null = null;
  #lastLot = 0;
  /** What caps had left for orders that are not compared yet, by order and campaign. */
  readonly #capLeft = new Map<string, bigint>();
  #notices: Notice[] = [];

  constructor(options: CashbackReplayOptions) {
    this.#options = options;
    this.ledger = new ReplayLedger(options.isRefunded);
    this.customer = newCustomer(options.acct, options.customerId);
    this.shelf = new Shelf(this.customer, options.announces, options.isRefunded);
    this.#effects = {
      place: ({ event }) => ({ acct: options.acct, localDay: this.#rules.calendar.localDay(event.occurredAt) }),
      counted: (order, entry) => this.#counted(order, entry),
      refunded: (booked, taken, entry, at) => this.#refunded(booked, taken, entry, at),
    };
  }

  readonly #sink = {
    transfer: (transfer: Transfer) => this.#options.transfer(transfer),
    notice: (notice: NoticeValue) => void this.#notices.push(this.#options.encode(this.#rules, notice)),
  };

  enter(place: ReplayPlace, row: CashbackOrderRow | null, redrive: AppliedRow | null): void {
    this.#place = place;
    this.#stored = row === null ? null : new StoredOrder(row.awards);
    this.#redrive = redrive;
    const merchant = this.#options.merchantAt(place);
    if (merchant === this.#merchant && merchant.versions.length === 1) return;
    this.#merchant = merchant;
    const { currency, timeZone, clawbackPolicy, expiringNoticeDays } = settingsAt(merchant, place.partition, place.offset);
    this.#held = { merchantId: merchant.merchantId, currency, clawbackPolicy, expiringNoticeDays, calendar: calendarOf(timeZone) };
  }

  get #rules(): Held {
    if (this.#held === null) throw new Error("no rules hold yet");
    return this.#held;
  }

  decide(entry: OrderEntry): Outcome {
    return handle(this.ledger, entry, { id: this.#merchant?.id ?? 0, currency: this.#rules.currency }, this.#effects);
  }

  /** As the program begins every event and command: what is due by then, then the last as-of moves. */
  #begin(at: number, cause: Exclude<Cause, { readonly due: number }>): Posting {
    const { customer } = this;
    const asOf = asOfFor(customer, at);
    this.shelf.bringDue(asOf, this.#rules);
    applyDue(customer, asOf, this.#rules, this.#sink);
    customer.lastAsOf = asOf;
    this.known = true;
    return { sink: this.#sink, rules: this.#rules, customer, asOf, cause, noticeCause: cause };
  }

  #limits(orderId: string, localDay: number): Limits {
    const { partition, offset } = this.#place;
    const { campaigns, used } = this.#options;
    return limitsOf(
      this.usage,
      { partition, offset, localDay, calendar: this.#rules.calendar, campaigns },
      {
        budgetLeft: (campaign) => this.#stored?.budgetLeft(campaign) ?? null,
        capLeft: (campaign, leftMinor) => void this.#capLeft.set(`${campaign}/${orderId}`, leftMinor),
        used,
      },
    );
  }

  #counted(order: OrderState, entry: OrderEntry) {
    const { event, record } = entry;
    const { campaigns } = this.#options;
    const limits = this.#limits(order.orderId, order.place.localDay);
    const held = campaigns.at(record.partition, placeOf(entry));
    const { eligible, awards, notEligible } = judgeOrder(order.placed, held, this.#multiplier(entry), limits);
    const posting = this.#begin(Math.max(record.timestamp, event.occurredAt), { partition: record.partition, offset: record.offset });
    const ids = awards.filter(({ awardedMinor }) => awardedMinor > 0n).map(({ campaign }) => this.#lotIdOf(order.orderId, campaign));
    let next = 0;
    const lots = grant(posting, order, eligible, awards, limits, () => ids[next++] ?? 0);
    for (const { campaign } of lots) if (!this.campaigns.includes(campaign)) this.campaigns.push(campaign);
    const booked: BookedAward[] = awards.map((award) => ({
      award,
      lot: award.awardedMinor === 0n ? null : (lots.find((lot) => lot.campaign === award.campaign)?.lotId ?? null),
    }));
    // A refund that waited for this order comes at once, and something may be due before it.
    this.shelf.putBack();
    return { extra: { awards: storeAwards(booked, notEligible) }, notices: this.#takeNotices() };
  }

  #multiplier({ event, record, place }: OrderEntry): number {
    if (place === undefined) return this.#options.multiplierAt(record.partition, record.offset);
    const before = this.#options.multiplierBefore(event.orderId);
    if (before !== null) return before;
    // Tier counted it in its turn, or had not: which of the two was first is not stored, the level is.
    const { multiplierBps = 10_000 } = (this.#redrive?.detail ?? {}) as { readonly multiplierBps?: number };
    return multiplierBps;
  }

  /** Numbers of lots are given out over all customers of a partition: the stored one is taken, if it can be one. */
  #lotIdOf(orderId: string, campaign: number): number {
    const stored = this.#stored?.lotOf(campaign) ?? null;
    if (stored !== null && stored > this.#lastLot) this.#lastLot = stored;
    else {
      // An award that is not stored is told of by itself.
      if (stored !== null)
        this.#options.differs("number", "changed", { order: orderId, campaign }, { lotAbove: this.#lastLot }, { lot: stored });
      this.#lastLot += 2 ** -20;
    }
    return this.#lastLot;
  }

  #refunded(booked: Booked<OrderExtra>, taken: Refund, { event, record }: OrderEntry, at: OrderEntry) {
    const latest = Math.max(record.timestamp, event.occurredAt, at.record.timestamp);
    const posting = this.#begin(latest, { partition: record.partition, offset: record.offset });
    this.shelf.bringOrder(booked.order.orderId);
    const { awards, order } = refundedOrder(booked, this.#own);
    if (order.awards.some((award) => this.shelf.isShort(order.orderId, award))) this.shelf.bringAvailable();
    const effect = refund(posting, order, taken.occurredAt, this.#limits(order.orderId, booked.order.place.localDay));
    if (effect.clawbacks.length > 0 && booked.extra.awards !== null) booked.extra = { awards: storeCurrent(booked.extra.awards, awards) };
    const extra = { put_back: effect.putBackMinor, clawbacks: effect.clawbacks.map(storeClawback) };
    this.shelf.putBack();
    return { asOf: posting.asOf, extra, notices: this.#takeNotices() };
  }

  applied(row: AppliedRow): readonly Notice[] {
    const asOf = row.as_of.getTime();
    if (row.kind === "sweep") {
      this.shelf.bringDue(asOf, this.#rules);
      const detail = row.detail as { readonly dues: number } | null;
      applyDue(this.customer, asOf, this.#rules, this.#sink, detail && { count: detail.dues });
    } else this.#command(row, asOf);
    this.shelf.putBack();
    return this.#takeNotices();
  }

  #command(row: AppliedRow, at: number): void {
    const detail = row.detail as CommandDetail;
    const { known, customer } = this;
    const posting = this.#begin(at, { requestId: detail.id });
    const refused = decideCommand(row.kind, detail, posting, this.shelf, (orderId) => this.#named(orderId));
    if (refused !== null) this.known = known;
    const differing = differingFields(
      { asOf: new Date(customer.lastAsOf).toISOString(), refused },
      { asOf: row.as_of.toISOString(), refused: detail.refused ?? null },
    );
    const where = { kind: row.kind, redemption: detail.id, partition: row.part, offset: Number(row.off), n: Number(row.n) };
    if (differing !== null) this.#options.differs("applied", "changed", where, differing.expected, differing.found);
  }

  /** The order that a redemption names, if refunds may have put something back: only such orders are kept. */
  #named(orderId: string | null) {
    const booked = orderId === null ? undefined : this.ledger.kept.get(orderId);
    if (booked === undefined) return null;
    this.shelf.bringOrder(booked.order.orderId);
    return refundedOrder(booked, this.#own).order;
  }

  get #own() {
    if (this.#merchant === null) throw new Error("no rules hold yet");
    return { merchant: this.#merchant, campaigns: this.#options.campaigns };
  }

  #takeNotices(): readonly Notice[] {
    const notices = this.#notices;
    if (notices.length > 0) this.#notices = [];
    return notices;
  }

  compareOrder({ order, extra }: Booked<OrderExtra>, row: CashbackOrderRow): void {
    const { campaigns, differs } = this.#options;
    const campaignId = (campaign: number) => campaigns.campaignId(campaign);
    const capLeft = (campaign: number) => this.#capLeft.get(`${campaign}/${order.orderId}`);
    for (const { thing, problem, where, expected, found } of compareAwards(extra.awards, row.awards, campaignId, capLeft)) {
      differs(thing, problem, { order: order.orderId, ...where }, expected, found);
    }
    for (const [campaign] of this.#capLeft.size === 0 ? [] : (extra.awards?.a ?? [])) this.#capLeft.delete(`${campaign}/${order.orderId}`);
  }

  compareRefund({ booked, extra }: ReplayedRefund<OrderExtra, RefundExtra>, row: CashbackRefundRow): void {
    const { campaigns, differs } = this.#options;
    const where = { order: booked.order.orderId, refund: row.refund_id };
    for (const { problem, expected, found } of compareClawbacks(extra, row, (campaign) => campaigns.campaignId(campaign))) {
      differs("refund", problem, where, expected, found);
    }
  }

  settle(): Promise<void> {
    return this.#options.settle();
  }
}
