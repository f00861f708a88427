import type { NotificationEncoder } from "@perkstream/contracts";
import type { Booked, OrderEntry } from "@perkstream/orders";
import type { Notice, Outcome } from "@perkstream/program";
import {
  type AppliedRow,
  differingFields,
  type Fields,
  type RefundRow,
  ReplayLedger,
  type ReplayMachine,
  type ReplayPlace,
  type Where,
} from "@perkstream/verify";
import { ChangeLog } from "../changes.ts";
import { decideCommand, type TierCommand } from "../commands.ts";
import { Customer, type RecordedChange } from "../customer.ts";
import { decide, effectsOn, type NoExtra, type OrderLevels, type TierWork } from "../decide.ts";
import { DayBook, newCustomer } from "../domain/index.ts";
import type { MerchantRules } from "../merchant-rules.ts";
import type { KnownRules } from "./known-rules.ts";
import type { TierOrderRow } from "./rows.ts";

/** How a command was stored with its step (docs/programs.md, "What can be recomputed"). */
interface CommandDetail {
  readonly id: string;
  readonly actor: string;
  readonly levelId?: string;
  readonly note?: string;
  readonly untilAt?: number | null;
  readonly refused?: string;
}

export interface TierReplayOptions {
  readonly encoder: NotificationEncoder;
  readonly rules: KnownRules;
  readonly acct: number;
  readonly customerId: string;
  readonly partition: number;
  readonly isRefunded: (orderId: string) => boolean;
  /** Something of the program's own columns differs. */
  readonly differs: (thing: "order" | "applied", where: Where, expected: Fields, found: Fields) => void;
}

/** The level that an order found, and the ladder that it is in. */
interface LevelBefore {
  readonly levelId: string | null;
  readonly ladderVersion: number;
}

const START: ReplayPlace = { partition: 0, offset: 0, n: 0 };

/** One customer of the tier program, played anew from the first event on. */
export class TierReplay implements ReplayMachine<OrderLevels, NoExtra, TierOrderRow, RefundRow> {
  readonly ledger: ReplayLedger<OrderLevels, NoExtra>;
  readonly customer: Customer;
  readonly #options: TierReplayOptions;
  readonly #changes: ChangeLog;
  readonly #work: TierWork;
  readonly #merchants = new Map<string, MerchantRules>();
  #rules: MerchantRules;
  /** Of orders that were read once more: the multiplier of the level before, since their offsets do not tell. */
  readonly redriven = new Map<string, LevelBefore>();
  #place = START;
  #redrive: AppliedRow | null = null;

  constructor(options: TierReplayOptions) {
    this.#options = options;
    const { rules, acct, customerId, partition } = options;
    this.ledger = new ReplayLedger(options.isRefunded);
    this.#rules = rules.at(START);
    this.customer = new Customer({
      acct,
      rules: this.#rules,
      customerId,
      partition,
      state: newCustomer(0),
      known: false,
      seq: 0,
      levelOffset: 0,
      days: new DayBook(),
    });
    let n = 0;
    this.#changes = new ChangeLog(options.encoder, () => ++n);
    const work = {
      merchants: this.#merchants,
      orders: this.ledger,
      changes: this.#changes,
      customerOf: () => this.customer,
      customerByAcct: () => this.customer,
    };
    this.#work = { ...work, effects: effectsOn(work) };
  }

  get changes(): readonly RecordedChange[] {
    return this.#changes.recorded;
  }

  enter(place: ReplayPlace, _row: TierOrderRow | null, redrive: AppliedRow | null): void {
    this.#place = place;
    this.#redrive = redrive;
    const rules = this.#options.rules.at(place);
    if (rules === this.#rules && this.#merchants.size > 0) return;
    this.#rules = rules;
    this.#merchants.set(rules.merchant.merchantId, rules);
    // The program opens a customer with the rules of its transaction; here one customer lives through all of them.
    Object.assign(this.customer, { rules });
  }

  decide(entry: OrderEntry): Outcome {
    this.ledger.counted = null;
    const outcome = decide(this.#work, entry);
    const counted = this.ledger.counted as Booked<OrderLevels> | null;
    if (this.#redrive !== null && counted !== null) {
      const { ladderVersion } = this.customer.state;
      this.redriven.set(counted.order.orderId, { levelId: counted.extra.level_before, ladderVersion });
    }
    return outcome;
  }

  applied(row: AppliedRow): readonly Notice[] {
    const effect = { partition: this.#place.partition, offset: this.#place.offset };
    const asOf = row.as_of.getTime();
    switch (row.kind) {
      case "sweep":
        this.customer.bringForward(effect, [asOf], this.#changes);
        break;
      case "edit":
        this.customer.catchUp(effect, this.#changes);
        break;
      case "pin":
      case "promote":
      case "demote":
      case "unpin":
        this.#command(row, row.kind, effect, asOf);
        break;
      default:
        this.#options.differs("applied", this.#where(row), { kind: "a known one" }, { kind: row.kind });
    }
    return this.#changes.takeNotices().map(({ notice }) => notice);
  }

  #command(row: AppliedRow, kind: TierCommand["kind"], effect: { partition: number; offset: number }, asOfMs: number): void {
    const { id, actor, refused = null, ...given } = row.detail as CommandDetail;
    const command = { kind, levelId: "", note: "", untilAt: null, ...given } as TierCommand;
    this.#changes.because({ text: id, occurredAt: null });
    const asOf = this.customer.bringForward(effect, [asOfMs], this.#changes);
    const decision = decideCommand(this.customer, this.customer.rulesAt(effect), command, actor, asOf);
    if ("refused" in decision) {
      this.customer.take({ state: { ...this.customer.state, lastAsOf: asOf }, changes: [] }, effect, this.#changes);
    } else {
      this.customer.known = true;
      this.customer.take(decision, effect, this.#changes);
    }
    const expected = { asOf: new Date(asOf).toISOString(), refused: "refused" in decision ? decision.refused : null };
    const differing = differingFields(expected, { asOf: row.as_of.toISOString(), refused });
    if (differing !== null) this.#options.differs("applied", this.#where(row), differing.expected, differing.found);
  }

  #where(row: AppliedRow): Where {
    return { kind: row.kind, partition: row.part, offset: Number(row.off), n: Number(row.n) };
  }

  compareOrder({ order, extra }: Booked<OrderLevels>, row: TierOrderRow): void {
    const ladder = this.redriven.get(order.orderId)?.ladderVersion ?? null;
    if (extra.level_before === row.level_before && extra.level_after === row.level_after && ladder === row.ladder) return;
    const differing = differingFields(
      { levelBefore: extra.level_before, levelAfter: extra.level_after, ladder },
      { levelBefore: row.level_before, levelAfter: row.level_after, ladder: row.ladder },
    );
    if (differing !== null) this.#options.differs("order", { order: order.orderId }, differing.expected, differing.found);
  }

  compareRefund(): void {}

  async settle(): Promise<void> {}
}
