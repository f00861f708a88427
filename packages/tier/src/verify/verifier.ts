import type { NotificationEncoder } from "@perkstream/contracts";
import type { Merchant } from "@perkstream/merchant";
import type { OrderDecoder } from "@perkstream/orders";
import {
  type CustomerKey,
  type Group,
  type KnownRedrives,
  type NoticeSink,
  replayCustomer,
  type Report,
  type Snapshot,
  takeHistory,
  tellOf,
} from "@perkstream/verify";
import { PROGRAM } from "../changes.ts";
import { multiplierIn } from "../levels.ts";
import { type LadderVersion, versionAt } from "../merchant-rules.ts";
import { LadderCache, loadLadders } from "../store/ladders.ts";
import { compareAccount, compareDays, compareHistory } from "./compare.ts";
import { KnownRules, type RuleClocks } from "./known-rules.ts";
import { TierReplay } from "./replay.ts";
import { openTier, type TierStreams } from "./rows.ts";

/** Which level a customer held at an offset, and what it multiplies, as the replay found it. */
export interface LevelsOfCustomer {
  at(partition: number, offset: number): { readonly levelId: string | null; readonly multiplierBps: number };
  /** The same of an order that tier read once more, out of its turn; null for any other. */
  before(orderId: string): { readonly levelId: string | null; readonly multiplierBps: number } | null;
}

export interface TierVerification {
  readonly snapshot: Snapshot;
  /** By surrogate id. */
  readonly merchants: ReadonlyMap<number, Merchant>;
  readonly decoder: OrderDecoder;
  readonly encoder: NotificationEncoder;
  readonly clocks: RuleClocks;
  readonly redrives: KnownRedrives;
  /** The program's next offset per partition. */
  readonly progress: ReadonlyMap<number, number>;
  readonly report: Report;
}

/** Recomputes the tier program's customers of some merchants, in the order of the streams. */
export class TierVerifier {
  readonly #options: TierVerification;
  readonly #streams: TierStreams;
  readonly #ladders: ReadonlyMap<number, readonly LadderVersion[]>;
  readonly #rules = new Map<number, KnownRules>();

  private constructor(options: TierVerification, streams: TierStreams, ladders: ReadonlyMap<number, readonly LadderVersion[]>) {
    this.#options = options;
    this.#streams = streams;
    this.#ladders = ladders;
  }

  static async open(options: TierVerification, group: Group): Promise<TierVerifier> {
    const ladders = await loadLadders(options.snapshot.tx, group, new LadderCache());
    return new TierVerifier(options, openTier(options.snapshot, group), ladders);
  }

  /** Recomputes one customer; `acct` is null for one that this program does not have. */
  async verify(customer: CustomerKey, acct: number | null, notices: NoticeSink): Promise<LevelsOfCustomer> {
    if (acct === null) return this.#levelsOf(customer, null);
    const { decoder, encoder, report, redrives, progress } = this.#options;
    const streams = this.#streams;
    const row = await streams.accounts.next();
    if (row === undefined || Number(row.acct) !== acct) throw new Error(`account ${acct} of tier does not come in its turn`);
    const history = await takeHistory(streams, acct, redrives);
    const refunded = new Set(history.refunds.map(({ order_id }) => order_id));
    const tell = tellOf(report, PROGRAM, customer);
    const replay = new TierReplay({
      encoder,
      rules: this.#rulesOf(customer.merchant),
      acct,
      customerId: customer.customerId,
      partition: row.part,
      isRefunded: (orderId) => refunded.has(orderId),
      differs: (thing, where, expected, found) => tell({ thing, problem: "changed", where, expected, found }),
    });
    await replayCustomer({ program: PROGRAM, customer, acct, streams, history, decoder, machine: replay, report, notices });
    const belongs = (one: { readonly acct: bigint }) => Number(one.acct) === acct;
    const changes = await streams.history.takeWhile(belongs);
    const days = await streams.days.takeWhile(belongs);
    const end = { partition: row.part, offset: progress.get(row.part) ?? 0, n: Number.POSITIVE_INFINITY };
    replay.enter(end, null, null);
    for (const found of compareHistory(replay.changes, changes)) tell(found);
    for (const found of compareDays(replay.customer, days)) tell(found);
    for (const found of compareAccount(replay.customer, row, end.offset)) tell(found);
    report.checked("tier customers");
    report.checked("tier changes", changes.length);
    report.checked("tier days", days.length);
    return this.#levelsOf(customer, replay);
  }

  #rulesOf(merchant: number): KnownRules {
    let rules = this.#rules.get(merchant);
    if (rules === undefined) {
      const known = this.#options.merchants.get(merchant);
      if (known === undefined) throw new Error(`merchant ${merchant} is not loaded`);
      this.#rules.set(merchant, (rules = new KnownRules(known, this.#ladders.get(merchant) ?? [], this.#options.clocks)));
    }
    return rules;
  }

  #levelsOf({ merchant }: CustomerKey, replay: TierReplay | null): LevelsOfCustomer {
    const changes = replay?.changes ?? [];
    const versions = this.#ladders.get(merchant) ?? [];
    return {
      at: (partition, offset) => {
        const levelId = changes.findLast((change) => change.offset <= offset)?.change.to?.id ?? null;
        return { levelId, multiplierBps: multiplierIn(versions, versionAt(versions, partition, offset), levelId) };
      },
      before: (orderId) => {
        const found = replay?.redriven.get(orderId);
        if (found === undefined) return null;
        const { levelId, ladderVersion } = found;
        return { levelId, multiplierBps: multiplierIn(versions, ladderVersion, levelId) };
      },
    };
  }
}
