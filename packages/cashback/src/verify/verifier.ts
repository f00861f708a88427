import type { NotificationEncoder } from "@perkstream/contracts";
import type { Merchant } from "@perkstream/merchant";
import type { OrderDecoder } from "@perkstream/orders";
import {
  Alignment,
  type CustomerKey,
  type Group,
  KnownMerchant,
  type KnownRedrives,
  type NoticeSink,
  replayCustomer,
  type Report,
  type Snapshot,
  takeHistory,
  type TellCustomer,
  tellOf,
  type VersionClock,
} from "@perkstream/verify";
import type { Lot, Transfer } from "../domain/index.ts";
import { encodeNotice, programName } from "../notices.ts";
import { CampaignCache, type MerchantCampaigns } from "../store/campaigns.ts";
import type { LotRow } from "../store/lots.ts";
import { compareBudgets } from "./budgets.ts";
import { compareAccount } from "./compare-account.ts";
import { compareCaps } from "./compare-caps.ts";
import { lotRules, transferRules } from "./compare-ledger.ts";
import { compareRedemptions } from "./compare-redemptions.ts";
import { CashbackReplay } from "./replay.ts";
import { type CashbackAccountRow, type CashbackStreams, openCashback, type TransferRow } from "./rows.ts";
import { compareSums, ExpectedSums } from "./sums.ts";

/** The multiplier of the level that a customer held at an offset, from wherever levels are recomputed. */
export interface MultiplierPort {
  at(partition: number, offset: number): { readonly multiplierBps: number };
  /** Of an order that was read once more there, out of its turn; null for any other. */
  before(orderId: string): { readonly multiplierBps: number } | null;
}

export interface CashbackVerification {
  readonly snapshot: Snapshot;
  /** By surrogate id. */
  readonly merchants: ReadonlyMap<number, Merchant>;
  readonly decoder: OrderDecoder;
  readonly encoder: NotificationEncoder;
  /** Which settings were known when. */
  readonly settings: VersionClock;
  readonly redrives: KnownRedrives;
  readonly report: Report;
}

/** Recomputes the cashback program's customers of some merchants, in the order of the streams, and then the sums over them. */
export class CashbackVerifier {
  readonly #options: CashbackVerification;
  readonly #group: Group;
  readonly #streams: CashbackStreams;
  readonly #campaigns: ReadonlyMap<number, MerchantCampaigns>;
  readonly #merchants = new Map<number, KnownMerchant>();
  readonly #sums = new ExpectedSums();

  private constructor(options: CashbackVerification, group: Group, campaigns: ReadonlyMap<number, MerchantCampaigns>) {
    this.#options = options;
    this.#group = group;
    this.#streams = openCashback(options.snapshot, group);
    this.#campaigns = campaigns;
  }

  static async open(options: CashbackVerification, group: Group): Promise<CashbackVerifier> {
    return new CashbackVerifier(options, group, await new CampaignCache().load(options.snapshot.tx, group));
  }

  /** Recomputes one customer. */
  async verify(customer: CustomerKey, acct: number, levels: MultiplierPort, notices: NoticeSink): Promise<void> {
    const { decoder, report, redrives } = this.#options;
    const streams = this.#streams;
    const row = await streams.accounts.next();
    if (row === undefined || Number(row.acct) !== acct) throw new Error(`account ${acct} of cashback does not come in its turn`);
    const history = await takeHistory(streams, acct, redrives);
    const refunded = new Set(history.refunds.map(({ order_id }) => order_id));
    const tell = tellOf(report, programName, customer);
    const transfers = new Alignment<Transfer, TransferRow>(streams.transfers, transferRules(acct, tell));
    const replay = this.#replayOf(customer, row, levels, tell, (orderId) => refunded.has(orderId), transfers);
    await replayCustomer({ program: programName, customer, acct, streams, history, decoder, machine: replay, report, notices });
    await transfers.finish();
    await this.#compare(customer, replay, row, tell);
    report.checked("transfers", transfers.compared);
    report.checked("cashback customers");
  }

  #replayOf(
    { merchant, customerId }: CustomerKey,
    { acct, part }: CashbackAccountRow,
    levels: MultiplierPort,
    tell: TellCustomer,
    isRefunded: (orderId: string) => boolean,
    transfers: Alignment<Transfer, TransferRow>,
  ): CashbackReplay {
    const known = this.#merchantOf(merchant);
    const sums = this.#sums;
    return new CashbackReplay({
      merchantAt: (place) => known.at(place),
      announces: known.merchant.versions.some(({ expiringNoticeDays }) => expiringNoticeDays > 0),
      campaigns: this.#campaignsOf(merchant),
      acct: Number(acct),
      customerId,
      isRefunded,
      multiplierAt: (partition, offset) => levels.at(partition, offset).multiplierBps,
      multiplierBefore: (orderId) => levels.before(orderId)?.multiplierBps ?? null,
      differs: (thing, problem, where, expected, found) => tell({ thing, problem, where, expected, found }),
      transfer: (transfer) => {
        transfers.expect(transfer);
        sums.transfer(part, merchant, transfer);
      },
      encode: (held, value) => encodeNotice(this.#options.encoder, held.merchantId, held.currency, value),
      used: (campaign, version, amountMinor) => sums.used(part, campaign, version, amountMinor),
      settle: () => transfers.advance(),
    });
  }

  async #compare(customer: CustomerKey, replay: CashbackReplay, row: CashbackAccountRow, tell: TellCustomer): Promise<void> {
    const { report } = this.#options;
    const acct = Number(row.acct);
    const belongs = (one: { readonly acct: bigint }) => Number(one.acct) === acct;
    const lots = new Alignment<Lot, LotRow>(this.#streams.lots, lotRules(acct, tell));
    for (const lot of replay.shelf.lots.values()) lots.expect(lot);
    await lots.finish();
    const redemptions = await this.#streams.redemptions.takeWhile(belongs);
    const parts = await this.#streams.parts.takeWhile(belongs);
    compareRedemptions(customer.merchant, replay.shelf.redemptions, redemptions, parts, tell);
    const caps = await this.#streams.caps.takeWhile(belongs);
    const campaigns = this.#campaignsOf(customer.merchant);
    compareCaps(replay.usage, caps, campaigns, tell);
    compareAccount(replay, row, tell);
    for (const campaign of replay.campaigns) this.#sums.customer(row.part, campaign);
    report.checked("lots", lots.compared);
    report.checked("redemptions", redemptions.length);
    report.checked("caps", caps.length);
  }

  /** After all customers of the group: what is summed over them. */
  async finish(): Promise<void> {
    const { snapshot, report, merchants } = this.#options;
    const merchantId = (merchant: number) => merchants.get(merchant)?.merchantId ?? String(merchant);
    const context = { snapshot, group: this.#group, expected: this.#sums, merchantId, campaigns: this.#campaigns, report };
    await compareSums(context);
    await compareBudgets(context);
  }

  #campaignsOf(merchant: number): MerchantCampaigns {
    const campaigns = this.#campaigns.get(merchant);
    if (campaigns === undefined) throw new Error(`the campaigns of merchant ${merchant} are not loaded`);
    return campaigns;
  }

  #merchantOf(merchant: number): KnownMerchant {
    let known = this.#merchants.get(merchant);
    if (known === undefined) {
      const found = this.#options.merchants.get(merchant);
      if (found === undefined) throw new Error(`merchant ${merchant} is not loaded`);
      this.#merchants.set(merchant, (known = new KnownMerchant(found, this.#options.settings)));
    }
    return known;
  }
}
