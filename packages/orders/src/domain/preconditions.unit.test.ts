import { describe, expect, it } from "vitest";
import { cancelled, MERCHANT, NOON, placed } from "../testing/events.ts";
import { asOf, preconditions, scopeOf } from "./preconditions.ts";

describe("preconditions", () => {
  const usd = { currency: "USD" };
  const late = { occurredAt: NOON + 300_001 };

  it("come in the order merchant, currency, time", () => {
    expect(preconditions(placed({ currency: "EUR", ...late }), NOON, undefined)?.reason).toBe("unknown_merchant");
    expect(preconditions(placed({ currency: "EUR", ...late }), NOON, usd)?.reason).toBe("currency_mismatch");
    expect(preconditions(placed(late), NOON, usd)?.reason).toBe("occurred_in_future");
    expect(preconditions(cancelled(late), NOON, usd)?.reason).toBe("occurred_in_future");
  });

  it("let exactly five minutes pass", () => {
    expect(preconditions(placed({ occurredAt: NOON + 300_000 }), NOON, usd)).toBeNull();
  });
});

describe("asOf", () => {
  it("is the latest of record, event and the customer's last", () => {
    expect(asOf(3, 2, 1)).toBe(3);
    expect(asOf(1, 3, 2)).toBe(3);
    expect(asOf(1, 2, 3)).toBe(3);
    expect(asOf(1, 2, undefined)).toBe(2);
  });
});

describe("scopeOf", () => {
  const key = Buffer.from(`${MERCHANT}:c1`);
  it("is the merchant that the value names, else the key's", () => {
    expect(scopeOf(placed({ merchantId: "00000000-0000-4000-8000-000000000000" }), key)).toBe("00000000-0000-4000-8000-000000000000");
    expect(scopeOf(null, key)).toBe(MERCHANT);
    expect(scopeOf(placed({ merchantId: "shop" }), key)).toBe(MERCHANT);
    expect(scopeOf(null, Buffer.from("nonsense"))).toBeNull();
    expect(scopeOf(null, Buffer.from(`${MERCHANT}x`))).toBeNull();
    expect(scopeOf(null, null)).toBeNull();
  });
});
