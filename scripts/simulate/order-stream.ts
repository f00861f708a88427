import type { OrderCancelled, OrderEvent, OrderPlaced, OrderRefunded } from "@perkstream/contracts";
import { breakages, type Damage } from "./broken.ts";
import { basket } from "./catalogue.ts";
import { type Random, seededRandom, zipf } from "./random.ts";

export interface StreamMerchant {
  readonly merchantId: string;
  readonly currency: string;
}

/** Shares are probabilities from 0 to 1 of each item; what they leave are new orders. */
export interface OrderStreamOptions {
  readonly seed: number;
  /** Customers of each merchant, drawn by Zipf's law; the busiest is `customer-1`. */
  readonly customers: number;
  readonly merchants: readonly StreamMerchant[];
  readonly refunds?: number;
  readonly duplicates?: number;
  /** Orders that were placed up to three days ago, a third of them after their own refund. */
  readonly late?: number;
  /** Records that must become dead letters. */
  readonly broken?: number;
  /** Goes into every order id, so that two runs of one seed do not collide. Default: the seed. */
  readonly run?: string;
}

export type StreamKind = "order" | "refund" | "cancellation" | "duplicate" | "late" | "broken";

export interface StreamItem {
  readonly kind: StreamKind;
  readonly key: string;
  readonly event: OrderEvent;
  /** What is done to the bytes after encoding. */
  readonly damage: Damage | null;
}

export interface OrderStream {
  /** The next record, as of this instant (ms). The same calls give the same records. */
  next(now: number): StreamItem;
  /** For whoever ends the stream: the order that is still owed when the last record was a refund that comes before it. */
  rest(): StreamItem[];
}

/** Orders that may still be refunded or repeated: bounded, the oldest are forgotten. */
const recentOrders = 2_000;
const cancelledShare = 0.2;
const maxLatenessMs = 3 * 86_400_000;

interface Recent {
  readonly order: OrderPlaced;
  /** What is left of each line. */
  readonly remaining: bigint[];
  refunds: number;
}

/** Orders of a shop with everything that happens to them, by seed: pure, the clock comes with each call. */
export function orderStream(options: OrderStreamOptions): OrderStream {
  return new Simulation(options);
}

export function keyOf({ merchantId, customerId }: { readonly merchantId: string; readonly customerId: string }): string {
  return `${merchantId}:${customerId}`;
}

class Simulation implements OrderStream {
  private readonly random: Random;
  private readonly rank: (random: Random) => number;
  private readonly options: OrderStreamOptions;
  private readonly recent: Recent[] = [];
  private readonly waiting: StreamItem[] = [];
  private orders = 0;
  private broken = 0;

  constructor(options: OrderStreamOptions) {
    if (options.customers < 1 || options.merchants.length === 0) throw new RangeError("a stream needs a merchant and a customer");
    this.options = options;
    this.random = seededRandom(options.seed);
    this.rank = zipf(options.customers);
  }

  next(now: number): StreamItem {
    const waiting = this.waiting.shift();
    if (waiting !== undefined) return waiting;
    const { refunds = 0, duplicates = 0, late = 0, broken = 0 } = this.options;
    let draw = this.random.fraction();
    if ((draw -= broken) < 0) return this.breakOne(now);
    if ((draw -= duplicates) < 0) return this.repeat() ?? this.place(now);
    if ((draw -= refunds) < 0) return this.giveBack(now) ?? this.place(now);
    if ((draw -= late) < 0) return this.placeLate(now);
    return this.place(now);
  }

  rest(): StreamItem[] {
    return this.waiting.splice(0);
  }

  private order(occurredAt: number): OrderPlaced {
    const { merchants, seed, run = String(seed) } = this.options;
    const { merchantId, currency } = merchants[this.random.below(merchants.length)] ?? { merchantId: "", currency: "" };
    this.orders += 1;
    return {
      type: "OrderPlaced",
      merchantId,
      customerId: `customer-${this.rank(this.random) + 1}`,
      orderId: `sim-${run}-${this.orders}`,
      occurredAt,
      currency,
      lines: basket(this.random),
      paidWithCashbackMinor: 0n,
    };
  }

  private remember(order: OrderPlaced): Recent {
    const recent = { order, remaining: order.lines.map(({ netMinor }) => netMinor), refunds: 0 };
    // A slot is overwritten at random once the memory is full, so that old and new orders are refunded.
    if (this.recent.length < recentOrders) this.recent.push(recent);
    else this.recent[this.random.below(recentOrders)] = recent;
    return recent;
  }

  private place(now: number): StreamItem {
    const order = this.order(now);
    this.remember(order);
    return item("order", order);
  }

  private placeLate(now: number): StreamItem {
    const order = this.order(now - 60_000 - this.random.below(maxLatenessMs));
    const recent = this.remember(order);
    const late = item("late", order);
    if (!this.random.chance(1 / 3)) return late;
    this.waiting.push(late);
    return item("refund", this.refund(recent, now));
  }

  private repeat(): StreamItem | undefined {
    const recent = this.pick();
    return recent && item("duplicate", recent.order);
  }

  private giveBack(now: number): StreamItem | undefined {
    const recent = this.pick();
    if (recent === undefined || recent.remaining.every((left) => left === 0n)) return undefined;
    if (!this.random.chance(cancelledShare)) return item("refund", this.refund(recent, now));
    recent.remaining.fill(0n);
    return item("cancellation", this.cancellation(recent.order, now));
  }

  /** Half of a line or all that is left of it, of each line with even chances, of one line at least. */
  private refund(recent: Recent, now: number): OrderRefunded {
    const open = recent.remaining.flatMap((left, line) => (left > 0n ? [line] : []));
    const sure = open[this.random.below(open.length)];
    const lines = open
      .filter((line) => line === sure || this.random.chance(0.3))
      .map((line) => {
        const left = recent.remaining[line] ?? 0n;
        const netMinor = this.random.chance(0.5) ? left : (left + 1n) / 2n;
        recent.remaining[line] = left - netMinor;
        return { line, netMinor };
      });
    recent.refunds += 1;
    const { merchantId, customerId, orderId, occurredAt } = recent.order;
    const refundId = `refund-${recent.refunds}`;
    return { type: "OrderRefunded", merchantId, customerId, orderId, refundId, occurredAt: Math.max(now, occurredAt), lines };
  }

  private cancellation({ merchantId, customerId, orderId, occurredAt }: OrderPlaced, now: number): OrderCancelled {
    return { type: "OrderCancelled", merchantId, customerId, orderId, occurredAt: Math.max(now, occurredAt), reason: "changed my mind" };
  }

  /** Every way of being broken in turn. */
  private breakOne(now: number): StreamItem {
    const breakage = breakages[this.broken % breakages.length];
    this.broken += 1;
    const order = this.order(now);
    return { kind: "broken", key: keyOf(order), event: order, damage: null, ...breakage?.(order) };
  }

  private pick(): Recent | undefined {
    return this.recent[this.random.below(this.recent.length)];
  }
}

function item(kind: StreamKind, event: OrderEvent): StreamItem {
  return { kind, key: keyOf(event), event, damage: null };
}
