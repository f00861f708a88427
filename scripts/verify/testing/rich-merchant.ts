import type { OrderEvent } from "@perkstream/contracts";
import type { Merchant } from "@perkstream/merchant";
import type { VerifyBed } from "./bed.ts";

const at = (day: number, hour = 12) => Date.UTC(2025, 0, day, hour);

/** A merchant who has some of everything that the programs store. Customers: anna (orders, redemptions), ben (refunds), cleo (pinned), dora (an edit of the ladder). */
export async function playRichMerchant(bed: VerifyBed): Promise<Merchant> {
  const merchant = await bed.merchant({ name: "Rich", currency: "EUR", timeZone: "Europe/Berlin", expiringNoticeDays: 3 });
  const ladder = (threshold: number, atMs: number) => ({
    settings: {
      metric: "net_spend",
      window: "rolling_days",
      days: 365,
      refundPolicy: "immediate",
      downgrade: "drop_to_qualified",
      graceDays: 0,
    } as const,
    levels: [
      { id: "T0", name: "Base", threshold: 0, cashbackMultiplierBps: 10_000 },
      { id: "T1", name: "Silver", threshold, cashbackMultiplierBps: 12_500 },
      { id: "T2", name: "Gold", threshold: 500_000, cashbackMultiplierBps: 15_000 },
    ],
    apply: "immediate" as const,
    actor: "ann",
    atMs,
  });
  await bed.ladder(merchant, ladder(50_000, at(1)));
  await bed.campaign(
    merchant,
    { id: "base", rateBps: 250, expiry: { type: "days", days: 90 }, perCustomerCap: { amountMinor: 5_000, period: "month" } },
    at(1),
  );
  await bed.campaign(
    merchant,
    { id: "shoes", rateBps: 500, stacking: "add", include: { skus: ["shoe"] }, budgetMinor: 10_000_000, holdDays: 14 },
    at(1),
  );
  await bed.campaign(merchant, { id: "small", rateBps: 100, stacking: "add", budgetMinor: 400 }, at(1));

  const { merchantId } = merchant;
  const order = (customerId: string, orderId: string, day: number, nets: readonly number[], paid = 0, sku = "sku") => ({
    atMs: at(day),
    event: {
      type: "OrderPlaced",
      merchantId,
      customerId,
      orderId,
      occurredAt: at(day),
      currency: "EUR",
      lines: nets.map((net) => ({ sku, category: null, quantity: 1, netMinor: BigInt(net) })),
      paidWithCashbackMinor: BigInt(paid),
    } satisfies OrderEvent as OrderEvent,
  });
  const refund = (customerId: string, orderId: string, refundId: string, day: number, line: number, net: number) => ({
    atMs: at(day),
    event: {
      type: "OrderRefunded",
      merchantId,
      customerId,
      orderId,
      refundId,
      occurredAt: at(day),
      lines: [{ line, netMinor: BigInt(net) }],
    } satisfies OrderEvent as OrderEvent,
  });

  await bed.feed([
    order("anna", "a1", 2, [40_000]),
    order("anna", "a2", 3, [20_000, 5_000], 0, "shoe"),
    order("ben", "b1", 3, [30_000, 30_000]),
  ]);
  await bed.feed([order("cleo", "c1", 4, [10_000]), order("dora", "d1", 4, [70_000], 0, "shoe"), refund("ben", "b1", "r1", 5, 0, 10_000)]);
  await bed.redemption(
    merchant,
    { kind: "redeem", customerId: "anna", id: `${merchantId}-p1`, amountMinor: 700, orderId: "a3", ttlMs: 0 },
    at(6),
  );
  await bed.feed([order("anna", "a3", 6, [8_000], 700), refund("anna", "a3", "r2", 8, 0, 4_000), order("ben", "b2", 8, [20_000])]);
  await bed.redemption(
    merchant,
    { kind: "reserve", customerId: "anna", id: `${merchantId}-p2`, amountMinor: 200, orderId: null, ttlMs: 40 * 86_400_000 },
    at(9),
  );
  await bed.redemption(merchant, { kind: "commit", customerId: "anna", id: `${merchantId}-p1` }, at(9, 13)); // refused: it is committed
  await bed.tierCommand(merchant, "cleo", { kind: "pin", levelId: "T2", note: "a friend", untilAt: at(60) }, "ann", at(10));
  await bed.tierCommand(merchant, "cleo", { kind: "pin", levelId: "T9", note: "no such", untilAt: null }, "ann", at(10, 13)); // refused
  await bed.feed([
    refund("ben", "b9", "r3", 11, 0, 1_000), // its order never comes
    order("ben", "b2", 11, [20_000]), // another content
    order("anna", "a1", 2, [40_000]), // a repeat
    { ...order("cleo", "c2", 12, [10_000]), atMs: at(12) },
  ]);
  await bed.sweep(merchantId, at(25));
  await bed.ladder(merchant, ladder(60_000, at(26)));
  await bed.feed([
    order("dora", "d2", 27, [5_000]),
    { atMs: at(28), event: { type: "OrderCancelled", merchantId, customerId: "ben", orderId: "b2", occurredAt: at(28), reason: null } },
  ]);
  return merchant;
}
