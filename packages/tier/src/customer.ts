import {
  applyDue,
  applyEdits,
  asOfFor,
  type DayBook,
  newCustomer,
  nextDue,
  type Rules,
  type Step,
  type TierChange,
  type TierState,
} from "./domain/index.ts";
import type { MerchantRules } from "./merchant-rules.ts";

/** A change of a level as it is stored: with the place from which it holds. */
export interface RecordedChange {
  readonly customer: Customer;
  readonly change: TierChange;
  readonly seq: number;
  readonly partition: number;
  /** The first offset whose order is paid by the new level. */
  readonly offset: number;
  /** Orders the changes of one partition. */
  readonly n: number;
}

/** What orders and refunds of this transaction did to one date. */
export interface DayDelta {
  netMinor: bigint;
  orders: number;
}

/** Where a step of a customer takes effect. */
export interface Effect {
  readonly partition: number;
  readonly offset: number;
}

/** Takes the changes of a transaction: numbers and stores them, and makes their notifications. */
export interface ChangeSink {
  record(customer: Customer, changes: readonly TierChange[], effect: Effect): void;
}

/** A customer in a transaction's working set. */
export class Customer {
  readonly acct: number;
  readonly rules: MerchantRules;
  readonly customerId: string;
  readonly partition: number;
  /** Null: left in the database, since nothing of this transaction looks at them. */
  readonly days: DayBook | null;
  readonly deltas = new Map<number, DayDelta>();
  state: TierState;
  /** True once an order was counted or a command accepted. */
  known: boolean;
  /** Number of the last change in the customer's history. */
  seq: number;
  /** The offset from which the level holds. */
  levelOffset: number;
  changed = false;
  /** What the database has; null when every column is to be written. */
  stored: TierState | null;

  constructor(row: {
    readonly acct: number;
    readonly rules: MerchantRules;
    readonly customerId: string;
    readonly partition: number;
    readonly state: TierState;
    readonly known: boolean;
    readonly seq: number;
    readonly levelOffset: number;
    readonly days: DayBook | null;
  }) {
    this.acct = row.acct;
    this.rules = row.rules;
    this.customerId = row.customerId;
    this.partition = row.partition;
    this.state = row.state;
    this.known = row.known;
    this.seq = row.seq;
    this.levelOffset = row.levelOffset;
    this.stored = row.state;
    this.days = row.days;
  }

  /** The rules that the customer was evaluated with, in the time zone of an offset. */
  rulesAt({ partition, offset }: Effect): Rules {
    return this.rules.rulesOf(this.state.ladderVersion, partition, offset);
  }

  /**
   * Everything that comes before an event, command or sweep at `effect`: missing ladder versions in order, then what is
   * due by `asOf(state)`. Returns that as-of (ms). A customer that nobody knows yet only takes the newest rules.
   *
   * @param holdsFrom where the changes hold from, when that is not where the rules are looked up
   */
  bringForward(effect: Effect, times: readonly number[], sink: ChangeSink, holdsFrom: Effect = effect): number {
    this.catchUp(effect, sink);
    const asOf = asOfFor(this.state, ...times);
    if (this.known) this.take(applyDue(this.rulesAt(effect), this.state, this.days, asOf), holdsFrom, sink);
    return asOf;
  }

  /** Applies the ladder versions that hold at `effect` and that the customer was not evaluated with. */
  catchUp(effect: Effect, sink: ChangeSink): void {
    const target = this.rules.versionAt(effect.partition, effect.offset);
    const evaluated = this.state.ladderVersion;
    if (target <= evaluated) return;
    if (this.known) {
      const edits = this.rules.editsBetween(evaluated, target);
      this.take(applyEdits(this.rulesAt(effect), this.state, this.days, edits), effect, sink);
    } else {
      // What a refused command left: its as-of.
      this.state = { ...newCustomer(target), lastAsOf: this.state.lastAsOf };
    }
    this.changed = true;
  }

  /** Takes a step of the domain: the state, and its changes into the history. */
  take(step: Step, effect: Effect, sink: ChangeSink): void {
    if (step.state !== this.state) {
      this.state = step.state;
      this.changed = true;
    }
    if (step.changes.length === 0) return;
    this.levelOffset = effect.offset;
    this.stored = null;
    sink.record(this, step.changes, effect);
  }

  addToDay(day: number, netMinor: bigint, orders: number): void {
    const delta = this.deltas.get(day);
    if (delta === undefined) {
      this.deltas.set(day, { netMinor, orders });
    } else {
      delta.netMinor += netMinor;
      delta.orders += orders;
    }
  }

  /** When a sweep must look at this customer next (ms): by the time zone at `effect`, or by a newer one that holds from later on. */
  dueAt(effect: Effect): number | null {
    if (!this.known) return null;
    const now = this.rulesAt(effect);
    const later = this.rulesAt({ partition: effect.partition, offset: Number.MAX_SAFE_INTEGER });
    const dueAt = nextDue(now, this.state);
    return dueAt === null || later === now ? dueAt : Math.min(dueAt, nextDue(later, this.state) ?? dueAt);
  }
}
