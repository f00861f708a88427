import { type NotificationEncoder, type OrderEvent, topics } from "@perkstream/contracts";
import { createMerchantCache, loadMerchants } from "@perkstream/merchant";
import { createOrderBook, decodeOrder, type OrderDecoder } from "@perkstream/orders";
import type { Sql } from "@perkstream/postgres";
import type { Entry, Program } from "@perkstream/program";
import { loadChunk, type Parts } from "./chunk.ts";
import { decideEntry } from "./decide.ts";
import { programName } from "./notices.ts";
import { redriven } from "./redriven.ts";
import { AccountIds } from "./store/accounts.ts";
import { CampaignCache } from "./store/campaigns.ts";
import { sweepablePartitions, sweepStep } from "./sweep.ts";
import type { TierPort } from "./tier-port.ts";
import type { CashbackWork, OrderExtra, RefundExtra } from "./work.ts";

export const cashbackGroup = "perkstream.cashback";

export interface CashbackSettings {
  readonly decoder: OrderDecoder;
  readonly encoder: NotificationEncoder;
  readonly tier: TierPort;
  /** For `horizon`, which reads outside of any transaction. */
  readonly sql: Sql;
  /** Of orders.v1: then a record in another partition than its key's is a dead letter. */
  readonly partitions?: number;
  /** How many customers' surrogate ids are remembered. Default 200,000. */
  readonly maxKnownCustomers?: number;
  /** Lots of one step of a sweep; by default ten for each customer that the host allows. */
  readonly maxLotsOfSweep?: number | undefined;
}

/** The order tables of the program's schema. */
export function cashbackOrders(decoder: OrderDecoder) {
  return createOrderBook<OrderExtra, RefundExtra>({
    schema: programName,
    decoder,
    extra: { order: { awards: "json" }, refund: { put_back: "int8", clawbacks: "jsonb" } },
  });
}

/**
 * The cashback program: awards by the campaigns that hold at an order's offset, with the level held before it.
 *
 *   horizon: cut at the tier program's progress ─► load ─► decide: due work, then award or refund ─► save
 */
export function createCashbackProgram(settings: CashbackSettings): Program<OrderEvent, CashbackWork> {
  const { decoder, encoder, tier, sql } = settings;
  const caches = { merchants: createMerchantCache(), campaigns: new CampaignCache(), accounts: new AccountIds(settings.maxKnownCustomers) };
  const parts: Parts = { encoder, tier, book: cashbackOrders(decoder), caches, maxLotsOfSweep: settings.maxLotsOfSweep };
  return {
    name: programName,
    topic: topics.orders,
    groupId: cashbackGroup,
    prepare: (records) => decoder.prepare(records.map((record) => record.value)),
    decode: (record) => decodeOrder(decoder, record, settings.partitions),
    horizon: (entries) => horizon(parts, sql, entries),
    load: (context, entries) => loadChunk(parts, context, entries),
    decide: decideEntry,
    save: (context, work) => work.save(context),
    committed: (work) => {
      for (const { merchant, customer } of work.accounts.values()) caches.accounts.learn(merchant, customer.customerId, customer.acct);
    },
    dropCaches: () => {
      caches.merchants.clear();
      caches.campaigns.clear();
      caches.accounts.clear();
    },
    sweep: (context, request) => sweepStep(parts, context, request),
    sweepable: sweepablePartitions,
    redriven: async (_context, work, entry) => redriven(work, entry),
  };
}

/**
 * Cuts a partition at its first order that the tier program has not handled yet and whose merchant may use tier multipliers.
 * Partitions that tier is ahead of are not held, and cost one small statement.
 */
async function horizon(
  { caches, tier }: Parts,
  sql: Sql,
  entries: ReadonlyMap<number, readonly Entry<OrderEvent>[]>,
): Promise<ReadonlyMap<number, number>> {
  const reached = await tier.progress(sql);
  const ahead = [...entries].flatMap(([partition, list]) => list.filter(({ record }) => record.offset >= (reached.get(partition) ?? 0)));
  const cut = new Map<number, number>();
  if (ahead.length === 0) return cut;
  const merchants = await loadMerchants(sql, new Set(ahead.map(({ event }) => event.merchantId)), caches.merchants);
  const campaigns = await caches.campaigns.load(
    sql,
    [...merchants.values()].map((merchant) => merchant.id),
  );
  for (const { event, record } of ahead) {
    const merchant = merchants.get(event.merchantId);
    const { partition, offset } = record;
    if (merchant === undefined || event.type !== "OrderPlaced" || cut.has(partition)) continue;
    if (campaigns.get(merchant.id)?.usesTierAt(partition, offset) === true) cut.set(partition, offset);
  }
  return cut;
}
