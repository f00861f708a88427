import {
  availableAtOf,
  awardOf,
  byPriority,
  capPeriod,
  expiresAtOf,
  isEligible,
  linesOf,
  roomIn,
  type Award,
  type Room,
  type Version,
} from "./award.ts";
import { balanceMinor, expire, hasExpired, notify, payDebt, post, type Book } from "./book.ts";
import { currentOf } from "./clawbacks.ts";
import type { Lot } from "./lots.ts";
import type { Order } from "./orders.ts";
import { sum } from "./shares.ts";
import { timeText, type Instant } from "./time.ts";

/** What campaigns pay for a new order. `multiplierBps` is that of the level held before the order. */
export function grant(book: Book, versions: readonly Version[], order: Order, multiplierBps: number, asOf: Instant): void {
  const eligible = versions.filter(({ campaign }) => isEligible(campaign, order)).sort((a, b) => byPriority(a.campaign, b.campaign));
  const campaigns = eligible.map(({ campaign }) => campaign);
  const granted: { award: Award; lot: Lot }[] = [];
  for (const version of eligible) {
    const multiplier = version.campaign.tierMultiplier ? multiplierBps : 10_000;
    const award = awardOf(version, linesOf(version.campaign, campaigns, order), order, multiplier, roomFor(book, version, order));
    book.awards.push(award);
    if (award.awarded > 0n) granted.push({ award, lot: makeLot(book, award, asOf) });
  }
  if (granted.length === 0) return;
  const lots = granted.map(({ lot }) => lot).filter(({ availableAt }) => availableAt <= asOf);
  for (const { award, lot } of granted) if (lots.includes(lot) && !hasExpired(lot, asOf)) payDebt(book, lot, award.awarded, asOf);
  tellEarned(book, order, granted);
  for (const lot of lots) if (hasExpired(lot, asOf)) expire(book, lot, asOf);
}

function makeLot(book: Book, { order, campaign, awarded }: Award, asOf: Instant): Lot {
  const availableAt = availableAtOf(campaign, order);
  const expiresAt = expiresAtOf(campaign, availableAt, book.merchant);
  const lot: Lot = {
    customerId: order.customerId,
    orderId: order.orderId,
    campaignId: campaign.id,
    availableAt,
    expiresAt,
    noticed: false,
  };
  book.lots.push(lot);
  post(book, lot, "cost", availableAt <= asOf ? "available" : "pending", awarded, "award", asOf);
  return lot;
}

function roomFor(book: Book, { campaign }: Version, order: Order): Room {
  const ofCampaign = book.awards.filter((award) => award.campaign.id === campaign.id);
  const zone = book.merchant.timeZone;
  const period = capPeriod(campaign, order, zone);
  const ofCustomer = ofCampaign.filter(
    (award) => award.order.customerId === order.customerId && capPeriod(campaign, award.order, zone) === period,
  );
  return {
    customerCap: roomIn(campaign.perCustomerCap?.amountMinor, usedBy(book, ofCustomer)),
    budget: roomIn(campaign.budgetMinor, usedBy(book, ofCampaign)),
  };
}

export function usedBy(book: Book, awards: readonly Award[]): bigint {
  return sum(awards.map((award) => currentOf(book, award)));
}

function tellEarned(book: Book, order: Order, granted: readonly { award: Award; lot: Lot }[]): void {
  const ends = granted.flatMap(({ lot }) => (lot.expiresAt === null ? [] : [lot.expiresAt]));
  notify(book, "CashbackEarned", order.customerId, order.occurredAt, {
    orderId: order.orderId,
    amountMinor: Number(sum(granted.map(({ award }) => award.awarded))),
    campaigns: granted.map(({ award }) => award.campaign.name),
    availableAt: timeText(Math.max(...granted.map(({ lot }) => lot.availableAt))),
    expiresAt: ends.length === 0 ? null : timeText(Math.min(...ends)),
    balanceMinor: Number(balanceMinor(book, order.customerId)),
  });
}
