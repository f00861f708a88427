import { expect } from "vitest";
import { enc, expectProblem, keysOf, noon, type Position, type Shop } from "./shop.ts";

/* What one order, its refund and its cancellation leave in every list of a customer. Names are awkward on purpose. */

export const customerId = "c/1 ü%";
export const customer = `/v1/customers/${enc(customerId)}`;
export const orderId = "o/1 é?#%25";
export const path = `/v1/orders/${enc(orderId)}`;
export const now = noon("2025-01-10");
const instant = "2025-01-10T12:00:00.000Z";

export interface Order {
  awards: { campaignId: string; why: { reason?: string } }[];
  refunds: { refundId: string | null }[];
}

export async function expectCustomer(shop: Shop, { partition, offset }: Position): Promise<void> {
  expect(await shop.get(customer, now)).toEqual({
    customerId,
    tier: { id: "gold", name: "Gold", since: instant, validUntil: "2026-01-10", pinned: false },
    metric: 10_000,
    lastPeriodMetric: null,
    nextTier: null,
    cashback: {
      pendingMinor: 500,
      availableMinor: 1_060,
      reservedMinor: 0,
      debtMinor: 0,
      balanceMinor: 1_060,
      currency: "USD",
      nextExpiry: null,
    },
  });
  // A read applies nothing: the level is still held, though the window that ends there is empty.
  expect(await shop.get(customer, noon("2026-03-01"))).toMatchObject({ metric: 0, tier: { id: "gold" } });
  const change = { from: null, to: "gold", reason: "order", actor: "system", asOf: instant, ruleVersion: 1, orderId };
  expect(await shop.list(`${customer}/tier-history`)).toEqual([{ ...change, partition, offset: offset + 1 }]);
  const lot = (await shop.list(`${customer}/lots`)).find(({ campaignId }) => campaignId === "mon");
  expect(lot).toEqual({
    orderId,
    campaignId: "mon",
    grantedMinor: 500,
    pendingMinor: 500,
    availableMinor: 0,
    reservedMinor: 0,
    redeemedMinor: 0,
    expiredMinor: 0,
    reversedMinor: 0,
    availableAt: "2025-01-24T12:00:00.000Z",
    expiresAt: "2025-02-23T12:00:00.000Z",
  });
  const transfers = await shop.list(`${customer}/transfers`);
  const awarded = { debit: "cost", kind: "award", orderId, cause: { topic: "orders.v1", partition, offset }, asOf: instant };
  expect(transfers.map(({ id: _id, ...transfer }) => transfer)).toEqual(
    expect.arrayContaining([
      { ...awarded, credit: "available", campaignId: "cam", amountMinor: 60 },
      { ...awarded, credit: "pending", campaignId: "mon", amountMinor: 500 },
      { ...awarded, credit: "available", campaignId: "day", amountMinor: 1_000 },
    ]),
  );
  expect(transfers).toHaveLength(3);
  const row = { orderId, occurredAt: instant, netMinor: 10_000, remainingMinor: 10_000, cancelled: false };
  expect(await shop.list(`${customer}/orders`)).toEqual([row]);
  expect((await shop.list(`${customer}/caps`)).toSorted((a, b) => (String(a["campaignId"]) < String(b["campaignId"]) ? -1 : 1))).toEqual([
    { campaignId: "cam", period: "campaign", usedMinor: 60 },
    { campaignId: "day", period: "2025-01-10", usedMinor: 1_000 },
    { campaignId: "mon", period: "2025-01", usedMinor: 500 },
  ]);
}

interface Note {
  cursor: string;
  id: string;
  type: string;
  at: string;
  data: Record<string, unknown>;
  read: boolean;
}

export async function expectNotes(shop: Shop): Promise<void> {
  const notes = await shop.list<Note>(`${customer}/notifications`);
  const offsets = notes.map(({ cursor }) => Number(/^\d+:(\d+)$/.exec(cursor)?.[1]));
  expect(offsets[0]).toBeGreaterThan(offsets[1] ?? Infinity);
  const who = { merchantId: shop.merchantId, customerId, occurredAt: instant, orderId };
  const data = (type: string) => {
    const note = notes.find((candidate) => candidate.type === type);
    expect(note).toMatchObject({ read: false, at: instant, data: { id: note?.id } });
    expect(keysOf(note)).toEqual(["at", "cursor", "data", "id", "read", "type"]);
    return { ...note?.data, id: "" };
  };
  const change = { fromTier: null, toTier: "Gold", direction: "PROMOTED", reason: "order", nextTier: null, toNextTierMinor: null };
  expect(data("TierChanged")).toEqual({ ...who, id: "", ...change });
  const times = { availableAt: "2025-01-24T12:00:00.000Z", expiresAt: "2025-02-23T12:00:00.000Z" };
  const earned = { amountMinor: 1_560, currency: "USD", campaigns: ["cam", "mon", "day"], balanceMinor: 1_060 };
  expect(data("CashbackEarned")).toEqual({ ...who, id: "", ...earned, ...times });

  const first = await shop.get<{ data: Note[]; nextCursor: string }>(`${customer}/notifications?limit=1`);
  const second = await shop.get<{ data: Note[]; nextCursor: null }>(`${customer}/notifications?limit=1&cursor=${enc(first.nextCursor)}`);
  expect([...first.data, ...second.data]).toEqual(notes);
  expect(second.nextCursor).toBeNull();
  for (const query of ["cursor=xyz", "limit=0", "limit=201"])
    expectProblem(await shop.send("GET", `${customer}/notifications?${query}`), 400, "invalid_request");
}

export async function expectRefunds(shop: Shop): Promise<void> {
  const refundId = "r/1 ü";
  const refund = { body: { customerId, refundId, lines: [{ line: 0, netMinor: 4_000 }] }, now: noon("2025-01-12") };
  const refunded = await shop.ok<Position>(202, "POST", `${path}/refunds`, refund);
  expect(keysOf(refunded)).toEqual(["offset", "orderId", "partition", "refundId"]);
  await shop.settle(refunded);
  const cancel = { body: { customerId, reason: "changed my mind" }, now: noon("2025-01-13") };
  await shop.settle(await shop.ok<Position>(202, "POST", `${path}/cancel`, cancel));
  const nowhere = { pendingMinor: 0, availableMinor: 0, expiredMinor: 0, otherLotsMinor: 0, debtMinor: 0, writtenOffMinor: 0 };
  const order = await shop.get<Order>(path);
  expect(order).toMatchObject({ cancelled: true, lines: [{ remainingMinor: 0 }, { remainingMinor: 0 }] });
  expect(order.refunds[0]).toEqual({
    refundId,
    occurredAt: "2025-01-12T12:00:00.000Z",
    asOf: "2025-01-12T12:00:00.000Z",
    amountMinor: 4_000,
    putBackMinor: 0,
    clawbacks: [
      { ...nowhere, campaignId: "mon", amountMinor: 200, pendingMinor: 200 },
      { ...nowhere, campaignId: "day", amountMinor: 400, availableMinor: 400 },
    ],
  });
  expect(order.refunds[1]).toMatchObject({ refundId: null, amountMinor: 6_000 });
  expect(await shop.get("/v1/campaigns/mon/stats")).toEqual({
    campaignId: "mon",
    awardedMinor: 500,
    reversedMinor: 500,
    usedMinor: 0,
    redeemedMinor: 0,
    budgetLeftMinor: 50_000,
    customers: 1,
  });
}
