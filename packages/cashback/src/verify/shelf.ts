import { type Customer, DAY_MS, type Lot, mayBeDue, type Redemption, type Rules } from "../domain/index.ts";
import { Moments } from "./moments.ts";

const NEVER = Number.POSITIVE_INFINITY;

/**
 * All lots and redemptions of one customer in a replay. The domain walks through whatever it is given, and a customer may have a
 * hundred thousand lots: so each step gets those that it may touch, as in the program, which loads no others (domain/customer.ts).
 *
 *   bring … ─► the domain decides on `customer.lots` and `customer.redemptions` ─► put back what it left
 */
export class Shelf {
  readonly customer: Customer;
  readonly lots = new Map<number, Lot>();
  readonly redemptions = new Map<string, Redemption>();
  readonly #isRefunded: (orderId: string) => boolean;
  readonly #announces: boolean;
  // A lot stands in a heap at the moment that it has now; at any other it is stale.
  readonly #due = new Moments<Lot>();
  readonly #unannounced = new Moments<Lot>();
  readonly #lapses = new Moments<Redemption>();
  /** Lots of orders that have refunds. */
  readonly #lotsOfOrder = new Map<string, Lot[]>();
  readonly #redemptionsOfOrder = new Map<string, Set<Redemption>>();

  /** @param announces whether notices before an expiry are sent at all */
  constructor(customer: Customer, announces: boolean, isRefunded: (orderId: string) => boolean) {
    this.customer = customer;
    this.#announces = announces;
    this.#isRefunded = isRefunded;
  }

  /** What is due by `asOf` (ms), with what it touches. */
  bringDue(asOf: number, rules: Rules): void {
    const { customer } = this;
    customer.dueAt = Math.min(this.#firstDue(), this.#firstLapse());
    customer.unannouncedAt = this.#firstUnannounced();
    customer.elsewhereDueAt = customer.dueAt;
    customer.elsewhereUnannouncedAt = customer.unannouncedAt;
    if (!mayBeDue(customer, asOf, rules)) return;
    const noticeMs = rules.expiringNoticeDays * DAY_MS;
    const announceUntil = noticeMs > 0 ? asOf + noticeMs : Number.NEGATIVE_INFINITY;
    while (this.#firstDue() <= asOf) this.#take(this.#due);
    while (this.#firstUnannounced() <= announceUntil) this.#take(this.#unannounced);
    while (this.#firstLapse() <= asOf) this.bring(this.#lapses.pop()!);
    customer.elsewhereDueAt = Math.min(this.#firstDue(), this.#firstLapse());
    customer.elsewhereUnannouncedAt = this.#firstUnannounced();
  }

  #take(heap: Moments<Lot>): void {
    const lot = heap.pop()!;
    // So that it comes back into the heaps.
    lot.dirty = true;
    this.customer.lots.set(lot.lotId, lot);
  }

  /** A redemption with its lots. */
  bring(redemption: Redemption): void {
    this.customer.redemptions.set(redemption.redemptionId, redemption);
    for (const { lot } of redemption.parts) this.customer.lots.set(lot.lotId, lot);
  }

  /** The lots of a refunded order, and the redemptions that name it. */
  bringOrder(orderId: string): void {
    for (const lot of this.#lotsOfOrder.get(orderId) ?? []) this.customer.lots.set(lot.lotId, lot);
    for (const redemption of this.#redemptionsOfOrder.get(orderId) ?? []) this.bring(redemption);
  }

  /** Whether an award's own lot holds less than the award is worth. */
  isShort(orderId: string, award: { readonly campaign: number; readonly currentMinor: bigint }): boolean {
    if (award.currentMinor === 0n) return false;
    const own = this.#lotsOfOrder.get(orderId)?.find((lot) => lot.campaign === award.campaign);
    return own === undefined || own.pendingMinor + own.availableMinor + own.expiredMinor < award.currentMinor;
  }

  bringAvailable(): void {
    if (this.customer.availableMinor === 0n) return;
    for (const lot of this.lots.values()) if (lot.availableMinor > 0n) this.customer.lots.set(lot.lotId, lot);
  }

  /** Takes everything back from the domain, new lots and redemptions too. */
  putBack(): void {
    const { customer } = this;
    if (customer.lots.size > 0) {
      for (const lot of customer.lots.values()) if (lot.dirty) this.#keep(lot);
      customer.lots.clear();
    }
    if (customer.redemptions.size === 0) return;
    for (const redemption of customer.redemptions.values()) this.#keepRedemption(redemption);
    customer.redemptions.clear();
  }

  /** When something is due next: what the program's watermarks may not be later than. */
  get watermarks(): { readonly dueAt: number; readonly unannouncedAt: number } {
    let unannouncedAt = NEVER;
    for (const lot of this.lots.values()) unannouncedAt = Math.min(unannouncedAt, announceOf(lot));
    return { dueAt: Math.min(this.#firstDue(), this.#firstLapse()), unannouncedAt };
  }

  #keep(lot: Lot): void {
    lot.dirty = false;
    if (!this.lots.has(lot.lotId)) {
      this.lots.set(lot.lotId, lot);
      if (this.#isRefunded(lot.orderId)) {
        const others = this.#lotsOfOrder.get(lot.orderId);
        if (others === undefined) this.#lotsOfOrder.set(lot.orderId, [lot]);
        else others.push(lot);
      }
    }
    const due = dueOf(lot);
    if (due !== NEVER) this.#due.push(due, lot);
    const announce = this.#announces ? announceOf(lot) : NEVER;
    if (announce !== NEVER) this.#unannounced.push(announce, lot);
  }

  #keepRedemption(redemption: Redemption): void {
    const { redemptionId, orderId, status, expiresAt } = redemption;
    this.redemptions.set(redemptionId, redemption);
    if (status === "reserved" && expiresAt !== null) this.#lapses.push(expiresAt, redemption);
    if (orderId === null) return;
    const others = this.#redemptionsOfOrder.get(orderId);
    if (others === undefined) this.#redemptionsOfOrder.set(orderId, new Set([redemption]));
    else others.add(redemption);
  }

  #firstDue(): number {
    return firstOf(this.#due, (lot, at) => dueOf(lot) === at);
  }

  #firstUnannounced(): number {
    return firstOf(this.#unannounced, (lot, at) => announceOf(lot) === at);
  }

  #firstLapse(): number {
    return firstOf(this.#lapses, ({ status }) => status === "reserved");
  }
}

function firstOf<T>(heap: Moments<T>, stands: (item: T, at: number) => boolean): number {
  for (;;) {
    const { first } = heap;
    if (first === undefined) return NEVER;
    if (stands(first, heap.firstAt)) return heap.firstAt;
    heap.pop();
  }
}

function dueOf(lot: Lot): number {
  if (lot.pendingMinor > 0n) return lot.availableMinor > 0n ? Math.min(lot.availableAt, lot.expiresAt ?? NEVER) : lot.availableAt;
  return lot.availableMinor > 0n ? (lot.expiresAt ?? NEVER) : NEVER;
}

function announceOf(lot: Lot): number {
  return lot.availableMinor > 0n && !lot.noticed ? (lot.expiresAt ?? NEVER) : NEVER;
}
