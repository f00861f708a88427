import type { Booked } from "@perkstream/orders";
import { type Award, balanceMinor, bases, byUse, type Customer, type NoticeValue, restoredMinor } from "../domain/index.ts";
import { awardView } from "../queries/orders.ts";

export function seenCustomers(customers: Iterable<Customer>): Record<string, unknown> {
  const seen: Record<string, unknown> = {};
  for (const customer of customers) {
    const next = [...customer.lots.values()].filter((lot) => lot.availableMinor > 0n && lot.expiresAt !== null).sort(byUse)[0];
    seen[customer.customerId] = {
      cashback: {
        pendingMinor: Number(customer.pendingMinor),
        availableMinor: Number(customer.availableMinor),
        reservedMinor: Number(customer.reservedMinor),
        debtMinor: Number(customer.debtMinor),
        balanceMinor: Number(balanceMinor(customer)),
        nextExpiry: next === undefined ? null : { amountMinor: Number(next.availableMinor), at: iso(next.expiresAt) },
      },
    };
  }
  return seen;
}

export function seenOrders(booked: Iterable<Booked<{ readonly awards: readonly Award[] }>>) {
  const orders: Record<string, unknown> = {};
  const awards: Record<string, Record<string, number>> = {};
  const awardDetails: Record<string, unknown> = {};
  for (const { order, extra } of booked) {
    orders[order.orderId] = { remaining: order.remaining.map(Number) };
    awards[order.orderId] = Object.fromEntries(extra.awards.map((award) => [award.campaignId, Number(award.currentMinor)]));
    const lineBases = bases(order.lines, order.paidWithCashbackMinor);
    awardDetails[order.orderId] = Object.fromEntries(
      extra.awards.map((award) => [award.campaignId, { ...awardView(award, lineBases), awarded: Number(award.awardedMinor) }]),
    );
  }
  return { orders, awards, awardDetails };
}

export function seenLots(customers: Iterable<Customer>): Record<string, unknown> {
  const seen: Record<string, unknown> = {};
  for (const customer of customers) {
    for (const lot of customer.lots.values()) {
      seen[`${lot.orderId}/${lot.campaignId}`] = {
        granted: Number(lot.grantedMinor),
        pending: Number(lot.pendingMinor),
        available: Number(lot.availableMinor),
        reserved: Number(lot.reservedMinor),
        redeemed: Number(lot.redeemedMinor),
        expired: Number(lot.expiredMinor),
        reversed: Number(lot.reversedMinor),
        availableAt: iso(lot.availableAt),
        expiresAt: iso(lot.expiresAt),
      };
    }
  }
  return seen;
}

export function seenRedemptions(customers: Iterable<Customer>): Record<string, unknown> {
  const seen: Record<string, unknown> = {};
  for (const customer of customers) {
    for (const redemption of customer.redemptions.values()) {
      seen[redemption.redemptionId] = {
        customerId: customer.customerId,
        orderId: redemption.orderId,
        status: redemption.status,
        amountMinor: Number(redemption.amountMinor),
        restoredMinor: Number(restoredMinor(redemption)),
        parts: Object.fromEntries(
          redemption.parts.map(({ lot, amountMinor }) => [`${lot.orderId}/${lot.campaignId}`, Number(amountMinor)]),
        ),
      };
    }
  }
  return seen;
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

export function noticeJson({ cause: _cause, n: _n, ...notice }: NoticeValue): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(notice).map(([name, value]) => {
      if (typeof value === "bigint") return [name, Number(value)];
      return [name, name.endsWith("At") && typeof value === "number" ? iso(value) : value];
    }),
  );
}
