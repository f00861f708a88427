import type { NotificationEncoder } from "@perkstream/contracts";
import { loadMerchants, type MerchantCache } from "@perkstream/merchant";
import { MAX_AHEAD_MS, type OrderBook, type OrderEntry } from "@perkstream/orders";
import type { ChunkContext } from "@perkstream/program";
import { lotAndCurrent } from "./awards.ts";
import { type CustomerNeed, customerNeed, loadCustomers } from "./load.ts";
import { type AccountIds, accountKey, type AccountKey, type AccountState, loadAccounts } from "./store/accounts.ts";
import type { CampaignCache } from "./store/campaigns.ts";
import { type CapKey, LimitBook } from "./store/limits.ts";
import type { LevelQuery, TierPort } from "./tier-port.ts";
import { CashbackWork, type MerchantWork, type OrderExtra, type RefundExtra } from "./work.ts";

/** What a program instance keeps between transactions. */
export interface Caches {
  readonly merchants: MerchantCache;
  readonly campaigns: CampaignCache;
  readonly accounts: AccountIds;
}

export interface Parts {
  readonly encoder: NotificationEncoder;
  readonly tier: TierPort;
  readonly book: OrderBook<OrderExtra, RefundExtra>;
  readonly caches: Caches;
}

/** The tier program is behind an order that needs its level: a campaign came between `horizon` and the chunk. The host waits and tries again. */
class TierBehindError extends Error {
  constructor(partition: number, offset: number) {
    super(`the tier program has not handled ${partition}:${offset} yet`);
    this.name = "OutageError";
  }
}

/** Everything that the decisions of a chunk need, in a few round trips; never all lots of a customer. */
export async function loadChunk(parts: Parts, context: ChunkContext, entries: readonly OrderEntry[]): Promise<CashbackWork> {
  const { tx } = context;
  const { caches } = parts;
  const merchants = await loadMerchantWork(parts, context, entries);
  const ids = new Map([...merchants].map(([merchantId, { merchant }]) => [merchantId, { id: merchant.id }]));
  const known = entries.filter(({ event }) => merchants.has(event.merchantId));
  const [orders, accounts] = await Promise.all([
    parts.book.load(tx, known, ids),
    loadAccounts(tx, caches.accounts, accountKeys(known, merchants)),
  ]);
  const work = new CashbackWork(context, parts.encoder, merchants, orders);
  for (const state of accounts.values()) work.add(state);
  await Promise.all([
    loadLevels(parts.tier, context, work, known),
    loadLimits(context, work, known),
    loadCustomers(tx, needsOf(work, known).values(), (merchant, campaign) => campaignName(merchants, merchant, campaign)),
  ]);
  return work;
}

async function loadMerchantWork(
  { caches }: Parts,
  { tx }: ChunkContext,
  entries: readonly OrderEntry[],
): Promise<Map<string, MerchantWork>> {
  const found = await loadMerchants(tx, new Set(entries.map(({ event }) => event.merchantId)), caches.merchants);
  const campaigns = await caches.campaigns.load(
    tx,
    [...found.values()].map((merchant) => merchant.id),
  );
  const merchants = new Map<string, MerchantWork>();
  for (const [merchantId, merchant] of found) {
    const own = campaigns.get(merchant.id);
    if (own !== undefined) merchants.set(merchantId, { merchant, campaigns: own });
  }
  return merchants;
}

export function campaignName(merchants: ReadonlyMap<string, MerchantWork>, merchant: number, campaign: number): string {
  for (const one of merchants.values()) if (one.merchant.id === merchant) return one.campaigns.campaignId(campaign);
  throw new Error(`merchant ${merchant} is not loaded`);
}

function accountKeys(entries: readonly OrderEntry[], merchants: ReadonlyMap<string, MerchantWork>): AccountKey[] {
  const keys = new Map<string, AccountKey>();
  for (const { event, record } of entries) {
    const merchant = merchants.get(event.merchantId)?.merchant.id;
    if (merchant === undefined) continue;
    const text = accountKey(merchant, event.customerId);
    if (!keys.has(text)) keys.set(text, { merchant, customerId: event.customerId, part: record.partition });
  }
  return [...keys.values()];
}

async function loadLevels(tier: TierPort, { tx }: ChunkContext, work: CashbackWork, entries: readonly OrderEntry[]): Promise<void> {
  const queries: LevelQuery[] = [];
  for (const { event, record } of entries) {
    if (event.type !== "OrderPlaced") continue;
    const { merchant, campaigns } = work.merchant(event.merchantId);
    if (!campaigns.usesTierAt(record.partition, record.offset) || work.orders.find(merchant.id, event.orderId) !== undefined) continue;
    queries.push({ merchant: merchant.id, customerId: event.customerId, partition: record.partition, offset: record.offset });
  }
  if (queries.length === 0) return;
  const reached = await tier.progress(tx);
  for (const { partition, offset } of queries) if ((reached.get(partition) ?? 0) <= offset) throw new TierBehindError(partition, offset);
  const levels = await tier.levelsAt(tx, queries);
  for (const [i, { partition, offset }] of queries.entries()) {
    const level = levels[i];
    if (level === undefined) throw new Error("the tier port answered fewer levels than were asked for");
    work.levels.set(`${partition}:${offset}`, level);
  }
}

async function loadLimits({ tx }: ChunkContext, work: CashbackWork, entries: readonly OrderEntry[]): Promise<void> {
  const caps: CapKey[] = [];
  const budgets = new Set<number>();
  const merchants = new Set<MerchantWork>();
  for (const { event, record } of entries) {
    const own = work.merchant(event.merchantId);
    const { merchant, campaigns } = own;
    merchants.add(own);
    const state = work.account(merchant.id, event.customerId);
    if (campaigns.capPeriods === 0 || state === undefined) continue;
    const { calendar } = work.held(merchant, record.partition, record.offset);
    const booked = work.orders.find(merchant.id, event.orderId);
    if (event.type === "OrderPlaced" && booked === undefined) {
      caps.push(...LimitBook.keysOf(state.customer.acct, campaigns, calendar.localDay(event.occurredAt), calendar));
    } else if (event.type !== "OrderPlaced" && booked !== undefined) {
      caps.push(...LimitBook.keysOf(booked.order.place.acct, campaigns, booked.order.place.localDay, calendar));
    }
  }
  const fromStart = new Set<number>();
  for (const { campaigns } of merchants) {
    for (const one of campaigns.byId.values()) {
      if (one.hasBudget) budgets.add(one.campaign);
      for (const bit of [1, 2, 4]) if ((one.capPeriodsFromStart & bit) !== 0) fromStart.add(one.campaign * 8 + bit);
    }
  }
  await Promise.all([
    work.limits.loadCaps(tx, caps, ({ campaign, period }) => fromStart.has(campaign * 8 + period)),
    work.limits.lockBudgets(
      tx,
      [...budgets].sort((a, b) => a - b),
    ),
  ]);
}

/** Per customer, how late an as-of of this chunk can be, and what its refunds touch. */
function needsOf(work: CashbackWork, entries: readonly OrderEntry[]): Map<AccountState, CustomerNeed> {
  const needs = new Map<AccountState, CustomerNeed>();
  for (const { event, record } of entries) {
    const { merchant } = work.merchant(event.merchantId);
    const state = work.account(merchant.id, event.customerId);
    if (state === undefined) continue;
    let need = needs.get(state);
    if (need === undefined) needs.set(state, (need = customerNeed(state, work.held(merchant, record.partition, record.offset), 0)));
    need.until = Math.max(need.until, record.timestamp, event.occurredAt);
    if (event.type === "OrderPlaced") {
      const parked = work.orders.parkedUntil(merchant.id, event.orderId);
      if (parked === undefined) continue;
      need.until = Math.max(need.until, parked + MAX_AHEAD_MS);
      need.orderIds.add(event.orderId);
      continue;
    }
    need.orderIds.add(event.orderId);
    const booked = work.orders.find(merchant.id, event.orderId);
    if (booked === undefined || booked.order.place.acct !== state.customer.acct) continue;
    for (const stored of booked.extra.awards?.a ?? []) {
      const [lot, currentMinor] = lotAndCurrent(stored);
      if (lot !== null && currentMinor > 0n) need.ownLots.set(lot, currentMinor);
    }
  }
  return needs;
}
