import { capPeriod } from "./award.ts";
import { available, balanceMinor, lotsOf, sums, transfersOf, type Notification } from "./book.ts";
import { currentOf } from "./clawbacks.ts";
import { usedBy } from "./grant.ts";
import { balance, byExpiry, debtOf, type CustomerAccount, type MerchantAccount } from "./lots.ts";
import { remaining } from "./orders.ts";
import { atLeastZero, sum } from "./shares.ts";
import { dayText, localDay, timeText } from "./time.ts";
import { lastPeriodMetric, metricOn } from "./windows.ts";
import { groundOf, ladderOf, type World } from "./world.ts";

type Table<V> = Record<string, V>;

/** Everything an expectation can ask for, in its words. Amounts are numbers in minor units. */
export interface Snapshot {
  readonly customers: Table<CustomerView>;
  readonly orders: Table<{ readonly remaining: number[] }>;
  readonly awards: Table<Table<number>>;
  readonly awardDetails: Table<Table<AwardView>>;
  readonly lots: Table<LotView>;
  readonly redemptions: Table<RedemptionView>;
  readonly campaigns: Table<CampaignView>;
  readonly ledger: Table<number>;
  readonly transfers: number;
  readonly duplicates: number;
  readonly parked: number;
  readonly deadLetters: readonly string[];
  readonly notifications: readonly Notification[];
  readonly clawbacks: readonly ClawbackView[];
  readonly refusals: readonly string[];
  readonly previews: readonly { up: number; down: number; stay: number }[];
}

export type CustomerView = ReturnType<typeof customerView>;
export type AwardView = ReturnType<typeof awardView>;
export type LotView = ReturnType<typeof lotView>;
export type RedemptionView = ReturnType<typeof redemptionView>;
export type CampaignView = ReturnType<typeof campaignView>;
export type ClawbackView = ReturnType<typeof clawbackView>;

/** How much of the lists that only grow was looked at. */
export interface Seen {
  readonly deadLetters: number;
  readonly notifications: number;
  readonly clawbacks: number;
  readonly refusals: number;
  readonly previews: number;
}

export function seenOf({ deadLetters, book, refusals, previews }: World): Seen {
  return {
    deadLetters: deadLetters.length,
    notifications: book.notifications.length,
    clawbacks: book.clawbacks.length,
    refusals: refusals.length,
    previews: previews.length,
  };
}

export function snapshotOf(world: World, seen: Seen): Snapshot {
  const { book } = world;
  const customers = [...new Set([...world.members.keys(), ...book.lastAsOf.keys()])];
  return {
    customers: table(customers, (customerId) => [customerId, customerView(world, customerId)]),
    orders: table(world.orders, (order) => [order.orderId, { remaining: remaining(order).map(Number) }]),
    awards: byOrder(world, (award) => Number(currentOf(book, award))),
    awardDetails: byOrder(world, (award) => once(award, awardView)),
    lots: table(book.lots, (lot) => [`${lot.orderId}/${lot.campaignId}`, lotView(world, lot)]),
    redemptions: table(book.redemptions, (redemption) => [redemption.id, redemptionView(redemption)]),
    campaigns: table(world.campaigns.keys(), (id) => [id, campaignView(world, id)]),
    ledger: ledgerView(world, customers),
    transfers: book.transfers.length,
    duplicates: world.duplicates,
    parked: world.parked.length,
    deadLetters: world.deadLetters.slice(seen.deadLetters),
    notifications: book.notifications.slice(seen.notifications),
    clawbacks: book.clawbacks.slice(seen.clawbacks).map(clawbackView),
    refusals: world.refusals.slice(seen.refusals),
    previews: world.previews.slice(seen.previews),
  };
}

function table<T, V>(items: Iterable<T>, entry: (item: T) => [string, V]): Table<V> {
  const rows: Table<V> = {};
  for (const item of items) {
    const [key, value] = entry(item);
    rows[key] = value;
  }
  return rows;
}

const views = new WeakMap<object, unknown>();

/** What never changes is written in words once. */
function once<T extends object, V>(item: T, view: (item: T) => V): V {
  if (!views.has(item)) views.set(item, view(item));
  return views.get(item) as V;
}

function byOrder<V>(world: World, view: (award: World["book"]["awards"][number]) => V): Table<Table<V>> {
  const orders: Table<Table<V>> = table(world.orders, ({ orderId }) => [orderId, {}]);
  for (const award of world.book.awards) orders[award.order.orderId]![award.campaign.id] = view(award);
  return orders;
}

function customerView(world: World, customerId: string) {
  const { settings } = ladderOf(world);
  const member = world.members.get(customerId);
  const { counted, zone } = groundOf(world, customerId);
  const day = localDay(world.clock, zone);
  const last = lastPeriodMetric(settings, counted, day);
  return {
    tier: member?.level ?? null,
    metric: Number(metricOn(settings, counted, day)),
    lastPeriodMetric: last === null ? null : Number(last),
    validUntil: typeof member?.validUntil === "number" ? dayText(member.validUntil) : null,
    pinned: (member?.pin ?? null) !== null,
    history: world.history.filter((entry) => entry.customerId === customerId).map((entry) => once(entry, historyView)),
    cashback: balancesView(world, customerId),
  };
}

/** Who edits a ladder is not said in a story, so the actor of what an edit changes is left out. */
function historyView({ from, to, reason, actor, asOf, offset, ruleVersion, orderId }: World["history"][number]) {
  const entry = { from, to, reason, asOf: timeText(asOf), offset, ruleVersion, orderId };
  return reason === "rules_changed" ? entry : { ...entry, actor };
}

function balancesView({ book }: World, customerId: string) {
  const transfers = transfersOf(book, customerId);
  const next = byExpiry(lotsOf(book, customerId)).find((lot) => lot.expiresAt !== null && sums(book, lot).available > 0n);
  return {
    pendingMinor: Number(balance(transfers, "pending")),
    availableMinor: Number(available(book, customerId)),
    reservedMinor: Number(balance(transfers, "reserved")),
    debtMinor: Number(debtOf(transfers)),
    balanceMinor: Number(balanceMinor(book, customerId)),
    nextExpiry: next === undefined ? null : { amountMinor: Number(sums(book, next).available), at: timeText(next.expiresAt!) },
  };
}

function awardView({ awarded, lines, why }: World["book"]["awards"][number]) {
  return {
    version: why.version,
    rateBps: why.rateBps,
    multiplierBps: why.multiplierBps,
    awarded: Number(awarded),
    lines: lines.map(Number),
    why: Object.fromEntries(Object.entries(why).map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value])),
  };
}

function lotView({ book }: World, lot: World["book"]["lots"][number]) {
  const amounts = Object.fromEntries(Object.entries(sums(book, lot)).map(([name, amount]) => [name, Number(amount)]));
  return { ...amounts, availableAt: timeText(lot.availableAt), expiresAt: lot.expiresAt === null ? null : timeText(lot.expiresAt) };
}

function redemptionView({ status, orderId, customerId, amount, parts }: World["book"]["redemptions"][number]) {
  return {
    status,
    customerId,
    orderId,
    amountMinor: Number(amount),
    restoredMinor: Number(sum(parts.map(({ restored }) => restored))),
    parts: table(parts, ({ lot, amount }) => [`${lot.orderId}/${lot.campaignId}`, Number(amount)]),
  };
}

function campaignView(world: World, id: string) {
  const { book, merchant } = world;
  const { campaign } = world.campaigns.get(id)!.at(-1)!;
  const awards = book.awards.filter((award) => award.campaign.id === id);
  const used = usedBy(book, awards);
  const awarded = sum(awards.map(({ awarded }) => awarded));
  const caps: Table<number> = {};
  for (const award of awards) {
    const period = capPeriod(campaign, award.order, merchant.timeZone);
    if (period === null || award.awarded === 0n) continue;
    const key = `${award.order.customerId}/${period}`;
    caps[key] = (caps[key] ?? 0) + Number(currentOf(book, award));
  }
  return {
    awardedMinor: Number(awarded),
    reversedMinor: Number(awarded - used),
    usedMinor: Number(used),
    budgetLeftMinor: campaign.budgetMinor === null ? null : Number(atLeastZero(BigInt(campaign.budgetMinor) - used)),
    caps,
  };
}

function ledgerView({ book }: World, customers: readonly string[]): Table<number> {
  const ofMerchant: MerchantAccount[] = ["cost", "redeemed", "breakage", "written_off"];
  const ofCustomer: CustomerAccount[] = ["pending", "available", "reserved", "debt"];
  return {
    ...table(ofMerchant, (account) => [account, Number(balance(book.transfers, account))]),
    ...table(
      customers.flatMap((customerId) => ofCustomer.map((account) => ({ customerId, account }))),
      ({ customerId, account }) => [`${customerId}/${account}`, Number(balance(transfersOf(book, customerId), account))],
    ),
  };
}

function clawbackView({ award, amount, pending, available, expired, otherLots, debt, writtenOff }: World["book"]["clawbacks"][number]) {
  return {
    orderId: award.order.orderId,
    campaignId: award.campaign.id,
    amountMinor: Number(amount),
    pending: Number(pending),
    available: Number(available),
    expired: Number(expired),
    otherLots: Number(otherLots),
    debt: Number(debt),
    writtenOff: Number(writtenOff),
  };
}
