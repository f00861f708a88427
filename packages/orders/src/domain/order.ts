import type { OrderEvent, OrderLine, OrderPlaced, RefundLine } from "@perkstream/contracts";

/** A refund or (with `refundId` null) a cancellation that was applied. */
export interface Refund {
  readonly refundId: string | null;
  readonly occurredAt: number;
  /** What it took, one entry per order line with something taken, by position. Empty for a cancellation of nothing. */
  readonly lines: readonly { readonly line: number; readonly amountMinor: bigint }[];
  readonly amountMinor: bigint;
  /** The event's content, for the comparison with a repeat. */
  readonly event: () => OrderEvent;
  /** The framed bytes; equal bytes are equal content. */
  readonly payload: Buffer;
}

/** Where and for whom an order was counted. Ids are surrogates of the program's schema. */
export interface Place {
  readonly merchant: number;
  readonly acct: number;
  readonly partition: number;
  readonly offset: number;
  /** Timestamp of the order's record. */
  readonly recordAt: number;
  /** Local date of `occurredAt` as of counting; stays when the time zone changes. */
  readonly localDay: number;
}

/** What a program keeps of a counted order. Decoded only when somebody asks for `placed` or something derived. */
export class OrderState {
  readonly place: Place;
  readonly orderId: string;
  readonly occurredAt: number;
  readonly payload: Buffer;
  cancelled: boolean;
  /** Applied refunds by refundId, the cancellation under "", in the order they were applied. Loaded only with refund events. */
  readonly refunds: Map<string, Refund>;
  #remaining: bigint[] | null;
  #placed: OrderPlaced | null;
  readonly #decode: (payload: Buffer) => OrderPlaced;

  constructor(row: {
    readonly place: Place;
    readonly orderId: string;
    readonly occurredAt: number;
    readonly payload: Buffer;
    readonly cancelled: boolean;
    /** Null until the first refund. */
    readonly remaining: readonly bigint[] | null;
    readonly placed?: OrderPlaced;
    readonly decode: (payload: Buffer) => OrderPlaced;
  }) {
    this.place = row.place;
    this.orderId = row.orderId;
    this.occurredAt = row.occurredAt;
    this.payload = row.payload;
    this.cancelled = row.cancelled;
    this.refunds = new Map();
    this.#remaining = row.remaining === null ? null : [...row.remaining];
    this.#placed = row.placed ?? null;
    this.#decode = row.decode;
  }

  /** The event as it was counted. */
  get placed(): OrderPlaced {
    return (this.#placed ??= this.#decode(this.payload));
  }

  get customerId(): string {
    return this.placed.customerId;
  }

  get currency(): string {
    return this.placed.currency;
  }

  get lines(): readonly OrderLine[] {
    return this.placed.lines;
  }

  get paidWithCashbackMinor(): bigint {
    return this.placed.paidWithCashbackMinor;
  }

  /** Net of each line that is not refunded yet. */
  get remaining(): readonly bigint[] {
    return this.#remaining ?? this.lines.map((line) => line.netMinor);
  }

  /** What a store keeps: null while nothing was refunded. */
  get storedRemaining(): readonly bigint[] | null {
    return this.#remaining;
  }

  get netMinor(): bigint {
    return sum(this.lines.map((line) => line.netMinor));
  }

  get remainingMinor(): bigint {
    return sum(this.remaining);
  }

  /** Applies what `judge` found to fit. */
  post(refund: Refund): void {
    const remaining = (this.#remaining ??= [...this.remaining]);
    for (const { line, amountMinor } of refund.lines) remaining[line] = remaining[line]! - amountMinor;
    this.refunds.set(refund.refundId ?? "", refund);
    if (refund.refundId === null) this.cancelled = true;
  }
}

/** What a refund event asks of each line; a line named twice adds up. */
export function askedPerLine(lines: readonly RefundLine[]): Map<number, bigint> {
  const asked = new Map<number, bigint>();
  for (const { line, netMinor } of lines) asked.set(line, (asked.get(line) ?? 0n) + netMinor);
  return asked;
}

function sum(amounts: readonly bigint[]): bigint {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
}
