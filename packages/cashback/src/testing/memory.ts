import type { OrderEvent } from "@perkstream/contracts";
import {
  type Booked,
  checkEvent,
  handle,
  type Ledger,
  type OrderEffects,
  type OrderEntry,
  OrderState,
  type Refund,
} from "@perkstream/orders";
import type { SourceRecord } from "@perkstream/program";
import { calendarOf } from "../calendar.ts";
import {
  account,
  accountNames,
  applyDue,
  asOfFor,
  type Award,
  byPriority,
  type Campaign,
  type CapPeriod,
  capPeriodKey,
  capPeriodText,
  type Cause,
  commit,
  type Customer,
  grant,
  judgeOrder,
  type Limits,
  newCustomer,
  type NoticeValue,
  type Posting,
  redeem,
  type RefundEffect,
  refund,
  release,
  reserve,
  type Rules,
  type Transfer,
} from "../domain/index.ts";
import { campaignOf } from "./campaigns.ts";
import type { Observed, World } from "./compare.ts";
import { noticeJson, seenCustomers, seenLots, seenOrders, seenRedemptions } from "./memory-view.ts";
import { type Levels, StubLevels } from "./levels.ts";
import { type EventText, merchantId, type Step, type Take, type Vector } from "./vectors.ts";

interface Extra {
  readonly awards: readonly Award[];
}
type Book = Booked<Extra>;

/** The cashback program without a database: judged by packages/orders, decided by the domain, kept in maps. */
export class MemoryWorld implements World {
  readonly customers = new Map<string, Customer>();
  readonly transfers: Transfer[] = [];
  /** Customers with a counted order or an accepted command. */
  readonly #known = new Set<Customer>();
  readonly #orders = new Map<string, Book>();
  readonly #parked = new Map<string, OrderEntry[]>();
  readonly #campaigns = new Map<string, Campaign>();
  readonly #used = new Map<string, bigint>();
  readonly #redemptionOwner = new Map<string, string>();
  /** Multipliers by the offset of the order that asked for one. */
  readonly multipliers = new Map<number, number>();
  readonly #levels: Levels;
  readonly #rules: Rules;
  readonly #vector: Vector;
  #offset = 0;
  #lots = 0;
  #redemptions = 0;
  #duplicates = 0;
  #notices: NoticeValue[] = [];
  #deadLetters: string[] = [];
  #refusals: string[] = [];
  #clawbacks: Record<string, unknown>[] = [];

  constructor(vector: Vector, levels: Levels = new StubLevels(vector)) {
    this.#vector = vector;
    this.#levels = levels;
    this.#rules = {
      clawbackPolicy: vector.merchant.clawbackPolicy === "clamp_to_zero" ? "clamp_to_zero" : "allow_negative",
      expiringNoticeDays: vector.merchant.expiringNoticeDays ?? 0,
      calendar: calendarOf(vector.merchant.timeZone),
    };
    for (const text of vector.campaigns) this.#edit(campaignOf(text, this.#campaigns.size + 1, 1));
  }

  #edit(campaign: Campaign): void {
    this.#campaigns.set(campaign.campaignId, campaign);
  }

  step(step: Step): void {
    const at = Date.parse(step.at ?? "");
    if (step.event !== undefined) {
      for (const event of this.eventsOf(step, at)) this.feed(event, at, step.key);
    } else if (step.raw !== undefined) {
      this.#deadLetters.push("invalid_event");
      this.#offset++;
    } else if (step.sweep === true) {
      for (const customer of this.customers.values()) applyDue(customer, at, this.#rules, this.#sink);
    } else if (step.campaign !== undefined) {
      const before = this.#campaigns.get(step.campaign.id);
      this.#edit(campaignOf(step.campaign, before?.campaign ?? this.#campaigns.size + 1, (before?.version ?? 0) + 1));
    } else if (!this.#redemption(step, at)) {
      this.#levels.command(step, at, this.#rules.calendar.localDay(at));
    }
  }

  /** The events of a step, by the vectors' defaults. */
  eventsOf({ event, copies }: Step, at: number): OrderEvent[] {
    if (event === undefined) return [];
    if (copies === undefined) return [this.#eventOf(event, at)];
    return Array.from({ length: copies }, (_, i) => this.#eventOf({ ...event, orderId: `${event.orderId}-${i + 1}` }, at));
  }

  #eventOf(text: EventText, at: number): OrderEvent {
    const common = {
      merchantId: text.merchantId ?? merchantId,
      customerId: text.customerId,
      orderId: text.orderId,
      occurredAt: text.occurredAt === undefined ? at : Date.parse(text.occurredAt),
    };
    const lines = (text.lines ?? []).map((line) => ({
      sku: line.sku ?? "sku",
      category: line.category ?? null,
      quantity: line.quantity ?? 1,
      netMinor: BigInt(line.netMinor),
      line: line.line ?? 0,
    }));
    if (text.type === "OrderCancelled") return { type: text.type, ...common, reason: null };
    if (text.type === "OrderRefunded") {
      return { type: text.type, ...common, refundId: text.refundId ?? "", lines: lines.map(({ line, netMinor }) => ({ line, netMinor })) };
    }
    return {
      type: text.type,
      ...common,
      currency: text.currency ?? this.#vector.merchant.currency,
      lines: lines.map(({ sku, category, quantity, netMinor }) => ({ sku, category, quantity, netMinor })),
      paidWithCashbackMinor: BigInt(text.paidWithCashbackMinor ?? 0),
    };
  }

  /** One record of the log, at the next offset. */
  feed(event: OrderEvent, timestamp: number, key = `${event.merchantId}:${event.customerId}`): void {
    const value = Buffer.from(JSON.stringify(event, (_name, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner)));
    const record: SourceRecord = { partition: 0, offset: this.#offset++, timestamp, key: Buffer.from(key), value, headers: {} };
    const invalid = checkEvent(event, record);
    if (invalid !== null) {
      this.#deadLetters.push(invalid.reason);
      return;
    }
    const merchant = event.merchantId === merchantId ? { id: 1, currency: this.#vector.merchant.currency } : undefined;
    const outcome = handle(this.#ledger, { record, scope: event.merchantId, event }, merchant, this.#effects);
    if (outcome.result === "duplicate") this.#duplicates++;
    this.#duplicates += outcome.duplicates ?? 0;
    if (typeof outcome.result === "object") this.#deadLetters.push(outcome.result.rejected.reason);
    this.#deadLetters.push(...(outcome.deadLetters ?? []).map((letter) => letter.reason));
  }

  readonly #sink = {
    transfer: (transfer: Transfer) => void this.transfers.push(transfer),
    notice: (notice: NoticeValue) => void this.#notices.push(notice),
  };

  readonly #ledger: Ledger<Extra, RefundEffect> = {
    find: (_merchant, orderId) => this.#orders.get(orderId),
    open: ({ event, record }, merchant, acct, localDay) => {
      if (event.type !== "OrderPlaced" || record.value === null) throw new Error("only an order opens an order");
      const place = { merchant, acct, partition: record.partition, offset: record.offset, recordAt: record.timestamp, localDay };
      return new OrderState({
        place,
        orderId: event.orderId,
        occurredAt: event.occurredAt,
        payload: record.value,
        cancelled: false,
        remaining: null,
        placed: event,
        decode: () => event,
      });
    },
    add: (order, extra) => {
      const booked = { order, extra };
      this.#orders.set(order.orderId, booked);
      return booked;
    },
    refund: () => {},
    park: (_merchant, entry) => void this.#parked.set(entry.event.orderId, [...(this.#parked.get(entry.event.orderId) ?? []), entry]),
    unpark: (_merchant, orderId) => {
      const waiting = this.#parked.get(orderId) ?? [];
      this.#parked.delete(orderId);
      return waiting;
    },
  };

  readonly #effects: OrderEffects<Extra, RefundEffect> = {
    place: ({ event }) => ({ acct: this.#customer(event.customerId).acct, localDay: this.#rules.calendar.localDay(event.occurredAt) }),
    counted: (order, { event, record }) => {
      const customer = this.#customer(event.customerId);
      const asOf = this.#begin(customer, Math.max(record.timestamp, event.occurredAt));
      const posting = this.#posting(customer, asOf, { partition: 0, offset: record.offset });
      const limits = this.#limits(customer, order.place.localDay);
      const multiplier = this.#levels.multiplierBps(event.customerId, asOf, this.#rules.calendar.localDay(asOf), record.offset);
      this.multipliers.set(record.offset, multiplier);
      const campaigns = [...this.#campaigns.values()].sort(byPriority);
      const { eligible, awards } = judgeOrder(order.placed, campaigns, multiplier, limits);
      this.#known.add(customer);
      grant(posting, order, eligible, awards, limits, () => ++this.#lots);
      this.#levels.spend(event.customerId, order.orderId, order.place.localDay, Number(order.netMinor));
      return { extra: { awards }, notices: [] };
    },
    refunded: (booked, taken, { event, record }, at) => {
      const customer = this.#customer(event.customerId);
      const asOf = this.#begin(customer, Math.max(record.timestamp, event.occurredAt, at.record.timestamp));
      const posting = this.#posting(customer, asOf, { partition: 0, offset: record.offset });
      const extra = refund(posting, this.#refunded(booked), taken.occurredAt, this.#limits(customer, booked.order.place.localDay));
      this.#note(booked, taken, extra);
      return { asOf, extra, notices: [] };
    },
  };

  #refunded({ order, extra }: Book) {
    const { orderId, lines, paidWithCashbackMinor, remaining } = order;
    return { orderId, lines, paidWithCashbackMinor, remaining, awards: extra.awards };
  }

  #note({ order }: Book, taken: Refund, effect: RefundEffect): void {
    this.#levels.spend(order.customerId, order.orderId, order.place.localDay, -Number(taken.amountMinor));
    for (const { award, ...parts } of effect.clawbacks) {
      this.#clawbacks.push({
        orderId: order.orderId,
        campaignId: award.campaignId,
        amountMinor: Number(parts.amountMinor),
        pending: Number(parts.pendingMinor),
        available: Number(parts.availableMinor),
        expired: Number(parts.expiredMinor),
        otherLots: Number(parts.otherLotsMinor),
        debt: Number(parts.debtMinor),
        writtenOff: Number(parts.writtenOffMinor),
      });
    }
  }

  #customer(customerId: string): Customer {
    let customer = this.customers.get(customerId);
    if (customer === undefined) this.customers.set(customerId, (customer = newCustomer(this.customers.size + 1, customerId)));
    return customer;
  }

  /** Applies what is due and moves the last as-of. */
  #begin(customer: Customer, at: number): number {
    const asOf = asOfFor(customer, at);
    applyDue(customer, asOf, this.#rules, this.#sink);
    customer.lastAsOf = asOf;
    return asOf;
  }

  #posting(customer: Customer, asOf: number, cause: Exclude<Cause, { due: number }>): Posting {
    return { sink: this.#sink, rules: this.#rules, customer, asOf, cause, noticeCause: cause };
  }

  #limits(customer: Customer, localDay: number): Limits {
    const { calendar } = this.#rules;
    const keyOf = (campaign: number, period: CapPeriod) =>
      `${campaign}|${period}|${customer.customerId}/${capPeriodText(period, capPeriodKey(period, localDay, calendar))}`;
    const used = (key: string) => this.#used.get(key) ?? 0n;
    return {
      customerCapLeft: ({ campaign }, period, capMinor) => capMinor - used(keyOf(campaign, period)),
      budgetLeft: ({ campaign }, budgetMinor) => budgetMinor - used(`${campaign}`),
      use: (campaign, amountMinor) => {
        for (const key of [`${campaign}`, ...(["day", "month", "campaign"] as const).map((period) => keyOf(campaign, period))]) {
          this.#used.set(key, used(key) + amountMinor);
        }
      },
    };
  }

  #redemption(step: Step, at: number): boolean {
    const take = step.reserve ?? step.redeem;
    const id = (take ?? step.commit ?? step.release)?.id;
    if (id === undefined) return false;
    const owner = take?.customerId ?? this.#redemptionOwner.get(id);
    // As the API's 404: it touches nothing.
    if (owner === undefined) return this.#refuse(step, id, "not_found");
    const customer = this.#customer(owner);
    const posting = this.#posting(customer, this.#begin(customer, at), { requestId: id });
    const refusal = take === undefined ? this.#finish(step, posting, id) : this.#take(step, posting, take);
    if (typeof refusal === "string") return this.#refuse(step, id, refusal);
    this.#known.add(customer);
    this.#redemptionOwner.set(id, owner);
    return true;
  }

  #refuse(step: Step, id: string, code: string): true {
    this.#refusals.push(`${Object.keys(step).find((key) => key !== "at")} ${id} ${code}`);
    return true;
  }

  #take(step: Step, posting: Posting, { id, amountMinor, orderId, ttlSeconds }: Take) {
    const request = { redemptionId: id, sequence: ++this.#redemptions, orderId: orderId ?? null, amountMinor: BigInt(amountMinor) };
    return step.redeem === undefined
      ? reserve(posting, request, (ttlSeconds ?? 0) * 1000)
      : redeem(posting, request, this.#named(posting.customer, orderId ?? null));
  }

  #finish(step: Step, posting: Posting, id: string) {
    const redemption = posting.customer.redemptions.get(id);
    if (redemption === undefined) return "not_found";
    return step.commit === undefined
      ? release(posting, redemption)
      : commit(posting, redemption, this.#named(posting.customer, redemption.orderId));
  }

  #named(customer: Customer, orderId: string | null) {
    const booked = orderId === null ? undefined : this.#orders.get(orderId);
    return booked === undefined || booked.order.place.acct !== customer.acct ? null : this.#refunded(booked);
  }

  observe(): Observed {
    const notifications = this.#notices.map(noticeJson);
    const seen: Observed = {
      customers: seenCustomers(this.#known),
      ...seenOrders(this.#orders.values()),
      lots: seenLots(this.customers.values()),
      ledger: this.ledger(),
      campaigns: this.#seenCampaigns(),
      redemptions: seenRedemptions(this.customers.values()),
      transfers: this.transfers.length,
      duplicates: this.#duplicates,
      parked: [...this.#parked.values()].flat().length,
      notifications,
      deadLetters: this.#deadLetters,
      clawbacks: this.#clawbacks,
      refusals: this.#refusals,
    };
    this.#notices = [];
    this.#deadLetters = [];
    this.#clawbacks = [];
    this.#refusals = [];
    return seen;
  }

  /** Credits less debits of every account; a customer's are `customer/account`. */
  ledger(): Record<string, number> {
    const sums: Record<string, number> = { cost: 0, redeemed: 0, breakage: 0, written_off: 0 };
    for (const { customer, debit, credit, amountMinor } of this.transfers) {
      for (const [one, sign] of [
        [debit, -1],
        [credit, 1],
      ] as const) {
        const name = one <= account.debt ? `${customer.customerId}/${accountNames[one]}` : accountNames[one];
        sums[name] = (sums[name] ?? 0) + sign * Number(amountMinor);
      }
    }
    for (const { customerId } of this.customers.values()) {
      for (const name of ["pending", "available", "reserved", "debt"]) sums[`${customerId}/${name}`] ??= 0;
    }
    return sums;
  }

  #seenCampaigns(): Record<string, unknown> {
    const seen: Record<string, unknown> = {};
    for (const { campaign, campaignId, budgetMinor, perCustomerCap } of this.#campaigns.values()) {
      const usedMinor = this.#used.get(`${campaign}`) ?? 0n;
      const prefix = `${campaign}|${perCustomerCap?.period}|`;
      const left = budgetMinor === null ? null : budgetMinor - usedMinor;
      seen[campaignId] = {
        usedMinor: Number(usedMinor),
        budgetLeftMinor: left === null ? null : Number(left > 0n ? left : 0n),
        caps: Object.fromEntries(
          [...this.#used].filter(([key]) => key.startsWith(prefix)).map(([key, used]) => [key.slice(prefix.length), Number(used)]),
        ),
      };
    }
    return seen;
  }
}
