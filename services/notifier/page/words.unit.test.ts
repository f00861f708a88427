import { describe as group, expect, it } from "vitest";
import { describe } from "./words.js";

const at = "2026-06-15T12:00:00Z";
const context = { now: Date.parse(at), metric: "net_spend", currency: "USD", locale: "en-GB" };
const money = { orderId: "A-1", amountMinor: 250, currency: "USD", balanceMinor: 1_900, occurredAt: at };
const tier = { orderId: "A-1", fromTier: "Silver", toTier: "Gold", direction: "PROMOTED", reason: "order" };
const top = { nextTier: null, toNextTierMinor: null };

group("a notification says what happened", () => {
  it.each([
    [
      "CashbackEarned",
      { ...money, campaigns: ["Spring"], availableAt: at, expiresAt: null },
      "You earned $2.50",
      "Spring · ready to spend",
    ],
    [
      "CashbackEarned",
      { ...money, campaigns: ["A", "B"], availableAt: "2026-06-20T12:00:00Z", expiresAt: null },
      "You earned $2.50",
      "A, B · ready on 20 Jun",
    ],
    ["CashbackAvailable", money, "$2.50 is ready to spend", "Balance $19.00"],
    ["CashbackExpiring", { ...money, expiresAt: "2026-06-22T12:00:00Z" }, "$2.50 expires soon", "Spend it before 22 Jun"],
    ["CashbackExpired", money, "$2.50 has expired", "Balance $19.00"],
    ["CashbackRedeemed", money, "You paid $2.50 with cashback", "Order A-1 · Balance $19.00"],
    ["CashbackRedeemed", { ...money, orderId: null }, "You paid $2.50 with cashback", "Balance $19.00"],
    ["CashbackReversed", { ...money, balanceMinor: -50 }, "$2.50 cashback taken back", "Refund of order A-1 · Balance -$0.50"],
    ["TierChanged", { ...tier, nextTier: "Platinum", toNextTierMinor: 4_000 }, "You are Gold now", "$40.00 to Platinum"],
    ["TierChanged", { ...tier, ...top, fromTier: null }, "Welcome to Gold", ""],
    ["TierChanged", { ...tier, ...top, toTier: "Bronze", direction: "DEMOTED" }, "Your tier is Bronze now", "Before: Silver"],
    ["TierChanged", { ...tier, ...top, toTier: null, direction: "DEMOTED" }, "You left Silver", "Before: Silver"],
    ["StampCardFilled", {}, "Stamp Card Filled", ""],
    [
      "BadgeWon",
      { ...money, badgeId: "b", badge: "Early bird", topLevel: 3, wonAt: at, previous: null },
      "Badge Won",
      "$2.50 · $19.00 · Early bird · top level 3",
    ],
  ])("%s", (type, data, title, detail) => {
    const words = describe({ type, data }, context);
    expect([words.title, words.detail].map((text) => text.replaceAll("US$", "$"))).toEqual([title, detail]);
  });
});
