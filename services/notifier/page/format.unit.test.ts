import { describe, expect, it } from "vitest";
import { date, decimals, lastDay, metricText, money, parseMoney, plainMoney, relative, tone, upTo } from "./format.js";

const now = Date.UTC(2026, 5, 15, 12);
const hour = 3_600_000;

describe("money", () => {
  it.each([
    [1_902, "USD", "$19.02"],
    [5, "USD", "$0.05"],
    [-250, "USD", "-$2.50"],
    [0, "EUR", "€0.00"],
    [1_500, "JPY", "¥1,500"],
    [1_234, "KWD", "KWD 1.234"],
    [9_007_199_254_740_991, "GBP", "£90,071,992,547,409.91"],
  ])("%i of %s is %s", (minor, currency, text) => {
    expect(money(minor, currency, "en-GB").replaceAll(/[ \u00A0]/g, " ")).toBe(text.replace("$", "$"));
  });

  it.each([
    ["12.5", "USD", 1_250],
    ["12,50", "EUR", 1_250],
    [" 7 ", "USD", 700],
    ["7.", "USD", 700],
    ["0.07", "USD", 7],
    ["1500", "JPY", 1_500],
    ["1.5", "JPY", undefined],
    ["1.234", "USD", undefined],
    ["1.234", "KWD", 1_234],
    ["0", "USD", undefined],
    ["-1", "USD", undefined],
    ["1e3", "USD", undefined],
    ["", "USD", undefined],
  ])("reads %j of %s as %s", (text, currency, minor) => {
    expect(parseMoney(text, currency)).toBe(minor);
  });

  it("writes an amount so that it reads back", () => {
    for (const currency of ["USD", "JPY", "KWD"]) expect(parseMoney(plainMoney(1_505, currency), currency)).toBe(1_505);
    expect(decimals("KWD")).toBe(3);
  });
});

describe("times", () => {
  it.each([
    [0, "just now"],
    [-44_000, "just now"],
    [30_000, "in a moment"],
    [-60_000, "1 minute ago"],
    [-12 * 60_000, "12 minutes ago"],
    [-3 * hour, "3 hours ago"],
    [-26 * hour, "yesterday"],
    [3 * 24 * hour, "in 3 days"],
    [-10 * 24 * hour, "5 Jun"],
    [-400 * 24 * hour, "11 May 2025"],
  ])("%i ms from now is %s", (ms, text) => {
    expect(relative(now + ms, now, "en-GB")).toBe(text);
  });

  it("names the last day that is covered, whatever the time zone", () => {
    expect(lastDay("2027-01-01", now, "en-GB")).toBe("31 Dec");
    expect(lastDay("2027-03-01", now, "en-GB")).toBe("28 Feb 2027");
    expect(date(now, now, "en-GB", "UTC")).toBe("15 Jun");
  });
});

it("speaks of orders where the ladder counts them", () => {
  expect(metricText(1, "order_count", "USD", "en")).toBe("1 order");
  expect(metricText(1_200, "order_count", "USD", "en")).toBe("1,200 orders");
  expect(metricText(1_200, "net_spend", "USD", "en")).toBe("$12.00");
});

it("gives each rank its own colours", () => {
  expect(tone(null, -1, 3)).toBe("none");
  expect(tone("Gold Plus", 0, 1)).toBe("gold");
  expect([0, 1].map((rank) => tone("x", rank, 2))).toEqual(["silver", "gold"]);
  expect([0, 1, 2].map((rank) => tone("x", rank, 3))).toEqual(["bronze", "silver", "gold"]);
  expect([0, 1, 2, 3, 4].map((rank) => tone("x", rank, 5))).toEqual(["bronze", "silver", "gold", "platinum", "diamond"]);
  expect(tone("x", 9, 10)).toBe("diamond");
  expect(tone("removed", -1, 3)).toBe("gold");
});

it("compares cursors by their offsets as numbers", () => {
  expect(upTo("3:9", "3:10")).toBe(true);
  expect(upTo("3:10", "3:10")).toBe(true);
  expect(upTo("3:11", "3:10")).toBe(false);
});
