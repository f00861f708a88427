import type { Award, Limits } from "./award.ts";
import type { Campaign } from "./campaign.ts";
import { balanceMinor, watch } from "./customer.ts";
import { account, kind } from "./ledger.ts";
import { availableAt, expiresAt, hasExpired, type Lot } from "./lot.ts";
import { expire, payDebt, post, type Posting } from "./posting.ts";

/**
 * Grants the awards of an order: a lot and a transfer for each above zero, one notice of what was earned, then what follows at
 * once (programs.md, Cashback 7). `eligible` and `awards` are of one judgement; `nextLotId` gives rising ids.
 */
export function grant(
  posting: Posting,
  order: { readonly orderId: string; readonly occurredAt: number },
  eligible: readonly Campaign[],
  awards: readonly Award[],
  limits: Limits,
  nextLotId: () => number,
): Lot[] {
  const lots: Lot[] = [];
  const names: string[] = [];
  let earnedMinor = 0n;
  for (let i = 0; i < awards.length; i++) {
    const award = awards[i];
    const campaign = eligible[i];
    if (award === undefined || campaign === undefined || award.awardedMinor === 0n) continue;
    limits.use(award.campaign, award.awardedMinor);
    lots.push(open(posting, order, campaign, award.awardedMinor, nextLotId()));
    names.push(campaign.name);
    earnedMinor += award.awardedMinor;
  }
  if (lots.length === 0) return lots;
  noticeEarned(posting, order, lots, names, earnedMinor);
  settle(posting, lots);
  return lots;
}

function open(
  posting: Posting,
  order: { readonly orderId: string; readonly occurredAt: number },
  campaign: Campaign,
  amountMinor: bigint,
  lotId: number,
): Lot {
  const from = availableAt(order.occurredAt, campaign.holdDays);
  const held = from > posting.asOf;
  const lot: Lot = {
    lotId,
    orderId: order.orderId,
    campaign: campaign.campaign,
    campaignId: campaign.campaignId,
    grantedMinor: amountMinor,
    pendingMinor: held ? amountMinor : 0n,
    availableMinor: held ? 0n : amountMinor,
    reservedMinor: 0n,
    redeemedMinor: 0n,
    expiredMinor: 0n,
    reversedMinor: 0n,
    availableAt: from,
    expiresAt: expiresAt(campaign.expiry, from, posting.rules.calendar),
    noticed: false,
    dirty: true,
  };
  posting.customer.lots.set(lotId, lot);
  post(posting, lot, kind.award, account.cost, held ? account.pending : account.available, amountMinor);
  return lot;
}

function noticeEarned(
  posting: Posting,
  order: { readonly orderId: string; readonly occurredAt: number },
  lots: readonly Lot[],
  names: readonly string[],
  amountMinor: bigint,
): void {
  let latestAvailable = 0;
  let earliestExpiry: number | null = null;
  for (const lot of lots) {
    if (lot.availableAt > latestAvailable) latestAvailable = lot.availableAt;
    if (lot.expiresAt !== null && (earliestExpiry === null || lot.expiresAt < earliestExpiry)) earliestExpiry = lot.expiresAt;
  }
  posting.sink.notice({
    type: "CashbackEarned",
    cause: posting.noticeCause ?? { orderId: order.orderId, campaignId: "", at: posting.asOf },
    n: 0,
    customerId: posting.customer.customerId,
    occurredAt: order.occurredAt,
    orderId: order.orderId,
    amountMinor,
    campaigns: names,
    availableAt: latestAvailable,
    expiresAt: earliestExpiry,
    balanceMinor: balanceMinor(posting.customer),
  });
}

/** What is available at once pays a debt; what is over already expires at once and pays none. */
function settle(posting: Posting, lots: readonly Lot[]): void {
  let n = 0;
  for (const lot of lots) {
    if (lot.availableMinor === 0n) watch(posting.customer, lot);
    else if (hasExpired(lot, posting.asOf)) expire(posting, lot, n++);
    else payDebt(posting, lot, lot.availableMinor);
  }
}
