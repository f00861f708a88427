import type { NotificationEncoder } from "@perkstream/contracts";
import { loadMerchants, type MerchantCache } from "@perkstream/merchant";
import { MAX_AHEAD_MS, MerchantMap, type OrderBook, type OrderEntry } from "@perkstream/orders";
import { type ChunkContext, placeOf } from "@perkstream/program";
import { lotAndCurrent } from "./awards.ts";
import { type CustomerNeed, customerNeed, loadCustomers } from "./load.ts";
import { type AccountIds, type AccountKey, type AccountState, loadAccounts } from "./store/accounts.ts";
import type { CampaignCache } from "./store/campaigns.ts";
import { BudgetKeys } from "./store/budget-keys.ts";
import { type CapKey, LimitBook } from "./store/limits.ts";
import { askTier } from "./ask-tier.ts";
import type { TierPort } from "./tier-port.ts";
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
  /** Of one step of a sweep; by default it goes by the customers that the host allows. */
  readonly maxLotsOfSweep?: number | undefined;
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
  for (const state of accounts) work.add(state);
  await Promise.all([
    askTier(parts.tier, tx, work, known),
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
  const keys = new MerchantMap<AccountKey>();
  for (const { event, record } of entries) {
    const merchant = merchants.get(event.merchantId)?.merchant.id;
    if (merchant === undefined) continue;
    const { customerId } = event;
    if (!keys.has(merchant, customerId)) keys.set(merchant, customerId, { merchant, customerId, part: record.partition });
  }
  return [...keys.values()];
}

async function loadLimits({ tx }: ChunkContext, work: CashbackWork, entries: readonly OrderEntry[]): Promise<void> {
  const caps: CapKey[] = [];
  const budgets = new BudgetKeys();
  const merchants = new Set<MerchantWork>();
  for (const entry of entries) {
    const { event, record } = entry;
    const own = work.merchant(event.merchantId);
    const { merchant, campaigns } = own;
    merchants.add(own);
    const state = work.account(merchant.id, event.customerId);
    if ((campaigns.capPeriods === 0 && !campaigns.hasBudget) || state === undefined) continue;
    const { calendar } = work.held(merchant, record.partition, placeOf(entry));
    const booked = work.orders.find(merchant.id, event.orderId);
    if (event.type === "OrderPlaced" && booked === undefined) {
      caps.push(...LimitBook.keysOf(state.customer.acct, campaigns, calendar.localDay(event.occurredAt), calendar));
      budgets.ofOrder(campaigns, state.part, placeOf(entry), event.occurredAt);
    } else if (event.type !== "OrderPlaced" && booked !== undefined) {
      caps.push(...LimitBook.keysOf(booked.order.place.acct, campaigns, booked.order.place.localDay, calendar));
      budgets.ofAwards(campaigns, state.part, booked.extra.awards);
    }
  }
  const fromStart = new Set<number>();
  for (const { campaigns } of merchants) {
    for (const one of campaigns.byId.values()) {
      for (const bit of [1, 2, 4]) if ((one.capPeriodsFromStart & bit) !== 0) fromStart.add(one.campaign * 8 + bit);
    }
  }
  await Promise.all([
    work.limits.loadCaps(tx, caps, ({ campaign, period }) => fromStart.has(campaign * 8 + period)),
    work.limits.budgets.load(tx, budgets),
  ]);
}

/** Per customer, how late an as-of of this chunk can be, and what its refunds touch. */
function needsOf(work: CashbackWork, entries: readonly OrderEntry[]): Map<AccountState, CustomerNeed> {
  const needs = new Map<AccountState, CustomerNeed>();
  for (const entry of entries) {
    const { event, record } = entry;
    const { merchant } = work.merchant(event.merchantId);
    const state = work.account(merchant.id, event.customerId);
    if (state === undefined) continue;
    let need = needs.get(state);
    if (need === undefined) needs.set(state, (need = customerNeed(state, work.held(merchant, record.partition, placeOf(entry)), 0)));
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
