import type { NotificationEncoder } from "@perkstream/contracts";
import { type Merchant, settingsAt } from "@perkstream/merchant";
import { MerchantMap, type WorkingOrders } from "@perkstream/orders";
import type { ChunkContext, Notice, PartitionProgress } from "@perkstream/program";
import type { StoredAwards, StoredClawback } from "./awards.ts";
import { calendarOf } from "./calendar.ts";
import {
  applyDue,
  asOfFor,
  type Cause,
  type FirstDues,
  type Lot,
  type NoticeValue,
  type Posting,
  type Rules,
  type Transfer,
} from "./domain/index.ts";
import { encodeNotice } from "./notices.ts";
import { type AccountState, saveAccounts } from "./store/accounts.ts";
import type { MerchantCampaigns } from "./store/campaigns.ts";
import { counter, nextId, type NumberedTransfer, saveTransfers } from "./store/ledger.ts";
import { LimitBook } from "./store/limits.ts";
import { insertLots, type OwnedLot, updateLots } from "./store/lots.ts";
import { insertRedemptions, type OwnedRedemption, updateRedemptions } from "./store/redemptions.ts";
import { Sums } from "./store/sums.ts";
import type { HeldLevel } from "./tier-port.ts";

/** The program's own columns of an order and of a refund. */
export interface OrderExtra {
  awards: StoredAwards | null;
}
export interface RefundExtra {
  put_back: bigint;
  clawbacks: readonly StoredClawback[];
}

export interface MerchantWork {
  readonly merchant: Merchant;
  readonly campaigns: MerchantCampaigns;
}

/** A merchant's rules at one offset, with what a notification needs. */
export interface Held extends Rules {
  readonly merchantId: string;
  readonly currency: string;
}

/** What one transaction read, and what it decided since. Every decision about a customer goes through `begin`. */
export class CashbackWork {
  readonly merchants: ReadonlyMap<string, MerchantWork>;
  readonly accounts = new MerchantMap<AccountState>();
  readonly limits = new LimitBook();
  readonly sums = new Sums();
  /** Levels by `partition:offset` of the orders that need one. */
  readonly levels = new Map<string, HeldLevel>();
  /** Orders, as in `levels`, whose id the tier program counted for another customer. */
  readonly ofOthers = new Set<string>();
  /** Of merchants with one version of settings: the same at every offset. */
  readonly #rules = new Map<Merchant, Held>();
  readonly #progress: ReadonlyMap<number, PartitionProgress>;
  readonly #encoder: NotificationEncoder;
  readonly #orders: WorkingOrders<OrderExtra, RefundExtra> | null;
  readonly #newLots: OwnedLot[] = [];
  readonly #newLotSet = new Set<Lot>();
  readonly #newRedemptions: OwnedRedemption[] = [];
  readonly #transfers = new Map<number, NumberedTransfer[]>();
  #notices: Notice[] = [];
  #held: Held | null = null;
  #state: AccountState | null = null;

  constructor(
    context: ChunkContext,
    encoder: NotificationEncoder,
    merchants: ReadonlyMap<string, MerchantWork>,
    orders: WorkingOrders<OrderExtra, RefundExtra> | null,
  ) {
    this.#progress = context.progress;
    this.#encoder = encoder;
    this.merchants = merchants;
    this.#orders = orders;
  }

  get orders(): WorkingOrders<OrderExtra, RefundExtra> {
    if (this.#orders === null) throw new Error("no orders were loaded");
    return this.#orders;
  }

  merchant(merchantId: string): MerchantWork {
    const found = this.merchants.get(merchantId);
    if (found === undefined) throw new Error(`merchant ${merchantId} is not loaded`);
    return found;
  }

  account(merchant: number, customerId: string): AccountState | undefined {
    return this.accounts.get(merchant, customerId);
  }

  add(state: AccountState): void {
    this.accounts.set(state.merchant, state.customer.customerId, state);
  }

  held(merchant: Merchant, partition: number, offset: number): Held {
    const cached = this.#rules.get(merchant);
    if (cached !== undefined) return cached;
    const { currency, timeZone, clawbackPolicy, expiringNoticeDays } = settingsAt(merchant, partition, offset);
    const held = { merchantId: merchant.merchantId, currency, clawbackPolicy, expiringNoticeDays, calendar: calendarOf(timeZone) };
    if (merchant.versions.length === 1) this.#rules.set(merchant, held);
    return held;
  }

  readonly #sink = {
    transfer: (transfer: Transfer): void => {
      const state = this.#current;
      const progress = this.#progressOf(state.part);
      const transfers = this.#transfers.get(state.part);
      const numbered = { id: nextId(progress, counter.transfers), transfer };
      if (transfers === undefined) this.#transfers.set(state.part, [numbered]);
      else transfers.push(numbered);
      this.sums.transfer(state.part, state.merchant, transfer);
    },
    notice: (notice: NoticeValue): void => {
      const held = this.#held;
      if (held === null) throw new Error("a notice outside of a decision");
      this.#notices.push(encodeNotice(this.#encoder, held.merchantId, held.currency, notice));
    },
  };

  get #current(): AccountState {
    if (this.#state === null) throw new Error("a transfer outside of a decision");
    return this.#state;
  }

  #progressOf(part: number): PartitionProgress {
    const progress = this.#progress.get(part);
    if (progress === undefined) throw new Error(`partition ${part} is not locked`);
    return progress;
  }

  /** Applies what is due for the customer by `until`, as the sweep does, or the first of it. Answers how much it was. */
  sweep(state: AccountState, held: Held, until: number, first: FirstDues | null = null): number {
    this.#state = state;
    this.#held = held;
    const before = [state.customer.dueAt, state.customer.unannouncedAt];
    const applied = applyDue(state.customer, until, held, this.#sink, first);
    if (applied > 0 || before[0] !== state.customer.dueAt || before[1] !== state.customer.unannouncedAt) state.dirty = true;
    return applied;
  }

  /**
   * Begins an event or command: what is due by then is applied, and the customer's last as-of moves. `at` is the latest of the
   * event's own times.
   */
  begin(state: AccountState, held: Held, at: number, cause: Exclude<Cause, { readonly due: number }>): Posting {
    const asOf = asOfFor(state.customer, at);
    this.sweep(state, held, asOf);
    state.customer.lastAsOf = asOf;
    state.known = true;
    state.dirty = true;
    return { sink: this.#sink, rules: held, customer: state.customer, asOf, cause, noticeCause: cause };
  }

  /** The notices since the last call. */
  takeNotices(): readonly Notice[] {
    const notices = this.#notices;
    this.#notices = [];
    return notices;
  }

  nextLotId(part: number): number {
    return nextId(this.#progressOf(part), counter.lots);
  }

  nextRedemption(part: number): number {
    return nextId(this.#progressOf(part), counter.redemptions);
  }

  /** New lots are inserted by `save`; a campaign's first lot of a customer counts the customer. */
  granted(state: AccountState, lots: readonly Lot[]): void {
    for (const lot of lots) {
      this.#newLots.push({ acct: state.customer.acct, lot });
      this.#newLotSet.add(lot);
      if (state.campaigns.includes(lot.campaign)) continue;
      state.campaigns = [...state.campaigns, lot.campaign];
      this.sums.customer(state.part, lot.campaign);
    }
  }

  redeemed(owned: OwnedRedemption): void {
    owned.redemption.dirty = false;
    this.#newRedemptions.push(owned);
  }

  /** A handful of statements, sent together. Throws RemedyError when a budget must be shared first (store/budgets.ts). */
  async save({ tx }: ChunkContext): Promise<void> {
    this.limits.budgets.check();
    const lots: OwnedLot[] = [];
    const redemptions: OwnedRedemption[] = [];
    const created = new Set(this.#newRedemptions.map(({ redemption }) => redemption));
    for (const { customer, merchant, dirty } of this.accounts.values()) {
      if (!dirty) continue;
      for (const lot of customer.lots.values()) if (lot.dirty && !this.#newLotSet.has(lot)) lots.push({ acct: customer.acct, lot });
      for (const redemption of customer.redemptions.values()) {
        if (redemption.dirty && !created.has(redemption)) redemptions.push({ acct: customer.acct, merchant, redemption });
      }
    }
    await Promise.all([
      this.#orders?.save(tx),
      insertLots(tx, this.#newLots),
      updateLots(tx, lots),
      saveTransfers(tx, this.#progress, this.#transfers),
      saveAccounts(tx, this.accounts.values()),
      this.limits.save(tx),
      this.sums.save(tx),
      insertRedemptions(tx, this.#newRedemptions),
      updateRedemptions(tx, redemptions),
    ]);
    await this.limits.budgets.refill(tx);
  }
}
