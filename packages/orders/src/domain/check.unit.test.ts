import type { OrderEvent } from "@perkstream/contracts";
import { describe, expect, it } from "vitest";
import { cancelled, entryOf, MERCHANT, NOON, placed, refunded } from "../testing/events.ts";
import { checkEvent } from "./check.ts";

function message(
  event: OrderEvent,
  key: Buffer | null = Buffer.from(`${event.merchantId}:${event.customerId}`),
  timestamp = NOON,
): string | null {
  return checkEvent(event, { key, timestamp })?.message ?? null;
}

const line = { sku: "sku", category: null, quantity: 1, netMinor: 5n };

describe("checkEvent", () => {
  it("accepts every kind of event, ids of 64 characters and a net of 0", () => {
    expect(message(placed({ netMinor: [0] }))).toBeNull();
    expect(message(placed({ orderId: "o".repeat(64) }))).toBeNull();
    expect(message(placed({ orderId: "😀".repeat(64) }))).toBeNull();
    expect(message(placed({ customerId: "Zoë \uFFFD" }))).toBeNull();
    expect(
      message(
        refunded("r1", [
          [0, 1],
          [7, 1],
        ]),
      ),
    ).toBeNull();
    expect(message(cancelled({ reason: "x".repeat(256) }))).toBeNull();
    expect(message(placed({ netMinor: Array.from({ length: 2000 }, () => 1) }))).toBeNull();
  });

  it.each<[string, OrderEvent]>([
    ["merchantId must not be empty", placed({ merchantId: "" })],
    ["customerId must not be empty", placed({ customerId: "" })],
    ["orderId must not be empty", placed({ orderId: "" })],
    ["orderId must be at most 64 characters", placed({ orderId: "o".repeat(65) })],
    ["orderId must be at most 64 characters", cancelled({ orderId: "😀".repeat(65) })],
    ["refundId must not be empty", refunded("", [[0, 1]])],
    ["orderId must not contain U+0000", placed({ orderId: "a\u0000" })],
    ["customerId must be valid UTF-8", placed({ customerId: "\uD800" })],
    ["occurredAt must not be before 1970", placed({ occurredAt: -1 })],
    ["occurredAt must be before 2200", refunded("r1", [[0, 1]], { occurredAt: Date.UTC(2200, 0, 1) })],
    ["lines must not be empty", placed({ netMinor: [] })],
    ["lines must not be empty", refunded("r1", [])],
    ["lines must be at most 2000", placed({ netMinor: Array.from({ length: 2001 }, () => 1) })],
    ["lines[1].netMinor must be at least 0", placed({ netMinor: [5, -1] })],
    ["lines[0].netMinor must be at least 1", refunded("r1", [[0, 0]])],
    ["lines[0].netMinor must be at least 1", refunded("r1", [[0, -1]])],
    ["lines[0].quantity must be at least 1", { ...placed(), lines: [{ ...line, quantity: 0 }] }],
    ["lines[1].sku must be at most 256 characters", { ...placed(), lines: [line, { ...line, sku: "s".repeat(257) }] }],
    ["lines[0].category must not contain U+0000", { ...placed(), lines: [{ ...line, category: "\u0000" }] }],
    ["lines[0].netMinor must be at most 9007199254740991", { ...placed(), lines: [{ ...line, netMinor: 2n ** 53n }] }],
    ["the sum of lines[].netMinor must be at most 9007199254740991", { ...placed(), lines: [{ ...line, netMinor: 2n ** 53n - 1n }, line] }],
    ["paidWithCashbackMinor must be at least 0", placed({ paidWithCashbackMinor: -1n })],
    ["paidWithCashbackMinor must be at most the sum of lines[].netMinor, 10", placed({ netMinor: [10], paidWithCashbackMinor: 11n })],
    ["reason must be at most 256 characters", cancelled({ reason: "x".repeat(257) })],
  ])("%s", (expected, event) => {
    expect(checkEvent(event, entryOf(event).record)).toEqual({ reason: "invalid_event", message: expected });
  });

  it("wants the key to be merchantId:customerId, byte by byte", () => {
    const expected = "key must be merchantId:customerId";
    expect(message(placed(), null)).toBe(expected);
    expect(message(placed(), Buffer.from("nonsense"))).toBe(expected);
    expect(message(placed(), Buffer.from(`${MERCHANT}:c11`))).toBe(expected);
    const noUtf8 = Buffer.concat([Buffer.from(`${MERCHANT}:`), Buffer.from([0xff])]);
    expect(message(placed({ customerId: "\uFFFD" }), noUtf8)).toBe(expected);
  });

  it("refuses a record timestamp that no store can hold", () => {
    expect(message(placed(), undefined, 9e15)).toBe("the record's timestamp must be before 2200");
  });
});
