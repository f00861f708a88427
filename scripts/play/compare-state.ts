import type { HistoryAnswer } from "./answers.ts";
import { differences, type Difference } from "./difference.ts";
import type { Expectation } from "./expectation.ts";
import type { StoryPositions } from "./positions.ts";
import type { Session } from "./session.ts";
import type { View } from "./view.ts";

/* What must be true at a moment: each function turns the product's answers into the story's words and compares. */

export async function compareCustomers(expected: NonNullable<Expectation["customers"]>, view: View, positions: StoryPositions) {
  return each(expected, async (customerId, wanted) => {
    const customer = await view.customer(customerId);
    const history = wanted?.history === undefined ? undefined : await view.history(customerId);
    const got = customer && {
      tier: customer.tier?.id ?? null,
      metric: customer.metric,
      lastPeriodMetric: customer.lastPeriodMetric,
      validUntil: customer.tier?.validUntil ?? null,
      pinned: customer.tier?.pinned ?? false,
      cashback: customer.cashback,
      history: history?.map((row, n) => storyRow(row, wanted?.history?.[n]?.offset, positions)),
    };
    return differences(`customers.${customerId}`, wanted, got);
  });
}

/** An order or refund changes the tier from the offset behind it. */
function storyRow(row: HistoryAnswer, wished: number | undefined, positions: StoryPositions): object {
  const { reason } = row;
  const isEvent = reason === "order" || reason === "refund";
  return { ...row, offset: positions.effective(row, isEvent, wished, reason !== "pinned") };
}

export async function compareAwards(expected: NonNullable<Expectation["awards"]>, view: View) {
  return each(expected, async (orderId, wanted) => {
    const order = await view.order(orderId);
    const got = order && Object.fromEntries(order.awards.map(({ campaignId, currentMinor }) => [campaignId, currentMinor]));
    return differences(`awards.${orderId}`, wanted, got);
  });
}

export async function compareAwardDetails(expected: NonNullable<Expectation["awardDetails"]>, view: View, session: Session) {
  return each(expected, async (orderId, wanted) => {
    const order = await view.order(orderId);
    const awards = order?.awards.map((award) => {
      const version = session.storyVersion(award.campaignId, award.version);
      const why = { ...award.why, version: session.storyVersion(award.campaignId, award.why.version) };
      return [award.campaignId, { ...award, version, why, awarded: award.awardedMinor }] as const;
    });
    return differences(`awardDetails.${orderId}`, wanted, awards && Object.fromEntries(awards));
  });
}

export async function compareOrders(expected: NonNullable<Expectation["orders"]>, view: View) {
  return each(expected, async (orderId, wanted) => {
    const order = await view.order(orderId);
    return differences(`orders.${orderId}`, wanted, order && { remaining: order.lines.map(({ remainingMinor }) => remainingMinor) });
  });
}

export async function compareLots(expected: NonNullable<Expectation["lots"]>, view: View): Promise<Difference[]> {
  const got: Record<string, object> = {};
  for (const { row } of await view.ofAll((customerId) => view.lots(customerId))) {
    got[`${row.orderId}/${row.campaignId}`] = {
      granted: row.grantedMinor,
      pending: row.pendingMinor,
      available: row.availableMinor,
      reserved: row.reservedMinor,
      redeemed: row.redeemedMinor,
      expired: row.expiredMinor,
      reversed: row.reversedMinor,
      availableAt: row.availableAt,
      expiresAt: row.expiresAt,
    };
  }
  return differences("lots", expected, got);
}

const ofCustomer = new Set(["pending", "available", "reserved", "debt"]);

/** Credits less debits of each account that the story names; one without transfers has 0. */
export async function compareLedger(expected: NonNullable<Expectation["ledger"]>, view: View): Promise<Difference[]> {
  const got: Record<string, number> = Object.fromEntries(Object.keys(expected).map((account) => [account, 0]));
  for (const { customerId, row } of await view.ofAll((customerId) => view.transfers(customerId))) {
    const nameOf = (account: string) => (ofCustomer.has(account) ? `${customerId}/${account}` : account);
    got[nameOf(row.credit)] = (got[nameOf(row.credit)] ?? 0) + row.amountMinor;
    got[nameOf(row.debit)] = (got[nameOf(row.debit)] ?? 0) - row.amountMinor;
  }
  return differences("ledger", expected, got);
}

export async function compareTransfers(expected: number, view: View): Promise<Difference[]> {
  return differences("transfers", expected, (await view.ofAll((customerId) => view.transfers(customerId))).length);
}

export async function compareRedemptions(expected: NonNullable<Expectation["redemptions"]>, view: View) {
  return each(expected, async (id, wanted) => {
    const redemption = await view.redemption(id);
    const parts = redemption?.parts.map(({ orderId, campaignId, amountMinor }) => [`${orderId}/${campaignId}`, amountMinor] as const);
    return differences(`redemptions.${id}`, wanted, redemption && { ...redemption, parts: Object.fromEntries(parts ?? []) });
  });
}

export async function compareCampaigns(expected: NonNullable<Expectation["campaigns"]>, view: View) {
  return each(expected, async (campaignId, { caps = {}, ...wanted }) => {
    const path = `campaigns.${campaignId}`;
    const ofCaps = await each(caps, async (key, wantedMinor) => {
      const at = key.lastIndexOf("/");
      const all = await view.caps(key.slice(0, at));
      const cap = all.find((row) => row.campaignId === campaignId && row.period === key.slice(at + 1));
      return differences(`${path}.caps.${key}`, wantedMinor, cap?.usedMinor ?? 0);
    });
    return [...differences(path, wanted, await view.stats(campaignId)), ...ofCaps];
  });
}

/** Each program keeps its own count of the same events. */
export async function compareCounts(name: "duplicates" | "parked", expected: number, view: View): Promise<Difference[]> {
  const { tier, cashback } = await view.counts();
  return differences(name, { tier: expected, cashback: expected }, { tier: tier[name], cashback: cashback[name] });
}

async function each<T>(entries: Readonly<Record<string, T>>, compare: (key: string, wanted: T) => Promise<Difference[]>) {
  return (await Promise.all(Object.entries(entries).map(([key, wanted]) => compare(key, wanted)))).flat();
}
