import { fixedRegistry, openOrderDecoder, openOrderEncoder } from "@perkstream/contracts";
import { describe, expect, it } from "vitest";
import { damaged } from "./broken.ts";
import { OptionError, parseOptions } from "./options.ts";
import { type OrderStreamOptions, orderStream, type StreamItem } from "./order-stream.ts";
import { seededRandom, zipf } from "./random.ts";

const merchants = [{ merchantId: "4f981b0b-accf-4eb7-8018-7cd651c7e907", currency: "USD" }];
const defaults: OrderStreamOptions = { seed: 1, customers: 100, merchants, refunds: 0.1, duplicates: 0.05, late: 0.05, broken: 0.05 };
const start = Date.UTC(2025, 0, 1);

function take(count: number, options: Partial<OrderStreamOptions> = {}): StreamItem[] {
  const stream = orderStream({ ...defaults, ...options });
  return Array.from({ length: count }, (_, i) => stream.next(start + i * 1000));
}

describe("orderStream", () => {
  it("gives the same for the same seed, and something else for another", () => {
    expect(take(500)).toEqual(take(500));
    expect(take(500)).not.toEqual(take(500, { seed: 2 }));
    expect(new Set(take(500, { run: "x" }).map(({ event }) => event.orderId)).size).toBeGreaterThan(300);
  });

  it("mixes as asked", () => {
    const kinds = Map.groupBy(take(20_000), ({ kind }) => kind);
    const share = (kind: StreamItem["kind"]) => (kinds.get(kind)?.length ?? 0) / 20_000;
    expect(share("refund") + share("cancellation")).toBeGreaterThan(0.08);
    expect(share("refund") + share("cancellation")).toBeLessThan(0.13);
    expect(share("duplicate")).toBeCloseTo(0.05, 1);
    expect(share("late")).toBeCloseTo(0.05, 1);
    expect(share("broken")).toBeCloseTo(0.05, 1);
    expect(take(200, { refunds: 0, duplicates: 0, late: 0, broken: 0 }).every(({ kind }) => kind === "order")).toBe(true);
  });

  it("never refunds more than is left, once per refund id, and nothing of what was cancelled", () => {
    const left = new Map<string, bigint[]>();
    const waiting: StreamItem[] = [];
    const refundIds = new Set<string>();
    const apply = ({ event }: StreamItem): void => {
      const remaining = left.get(event.orderId) ?? [];
      if (event.type === "OrderCancelled") remaining.fill(0n);
      if (event.type !== "OrderRefunded") return;
      expect(refundIds.has(`${event.orderId} ${event.refundId}`)).toBe(false);
      refundIds.add(`${event.orderId} ${event.refundId}`);
      expect(event.lines.length).toBeGreaterThan(0);
      for (const { line, netMinor } of event.lines) {
        remaining[line] = (remaining[line] ?? -1n) - netMinor;
        expect(netMinor > 0n && (remaining[line] ?? -1n) >= 0n).toBe(true);
      }
    };
    for (const item of take(20_000)) {
      if (item.kind === "order" || item.kind === "late") {
        if (item.event.type !== "OrderPlaced") throw new Error("no order");
        expect(left.has(item.event.orderId)).toBe(false);
        left.set(
          item.event.orderId,
          item.event.lines.map(({ netMinor }) => netMinor),
        );
        while (waiting.length > 0) apply(waiting.shift() as StreamItem);
      } else if (item.kind === "refund" || item.kind === "cancellation") {
        if (left.has(item.event.orderId)) apply(item);
        else waiting.push(item);
      }
    }
    expect(waiting).toEqual([]);
  });

  it("owes the order of a refund that came before it, until it was drawn or asked for", () => {
    let owed = 0;
    for (let count = 1; count <= 500; count += 1) {
      const stream = orderStream({ ...defaults, late: 0.4 });
      const drawn = Array.from({ length: count }, (_, i) => stream.next(start + i * 1000));
      const rest = stream.rest();
      const placed = new Set([...drawn, ...rest].filter(({ event }) => event.type === "OrderPlaced").map(({ event }) => event.orderId));
      expect(drawn.filter(({ kind, event }) => kind === "refund" && !placed.has(event.orderId))).toEqual([]);
      expect(stream.rest()).toEqual([]);
      owed += rest.length;
    }
    expect(owed).toBeGreaterThan(10);
  });

  it("repeats an order with the same content", () => {
    const items = take(5_000);
    const placed = new Map(items.filter(({ kind }) => kind === "order" || kind === "late").map(({ event }) => [event.orderId, event]));
    const repeats = items.filter(({ kind }) => kind === "duplicate").map(({ event }) => event);
    expect(repeats.length).toBeGreaterThan(100);
    expect(repeats).toEqual(repeats.map(({ orderId }) => placed.get(orderId)));
  });

  it("encodes everything; damaged bytes are refused by the decoder", async () => {
    const registry = fixedRegistry();
    const encoder = await openOrderEncoder(registry);
    const decoder = openOrderDecoder(registry);
    for (const { event, damage } of take(3_000)) {
      const value = damaged(encoder.encode(event), damage);
      await decoder.prepare([value]);
      expect(decoder.decode(value).ok).toBe(damage === null);
    }
  });
});

describe("zipf", () => {
  it("draws the first rank most, in proportion to 1 / rank", () => {
    const random = seededRandom(7);
    const draw = zipf(1_000);
    const counts = Array.from({ length: 1_000 }, () => 0);
    for (let i = 0; i < 200_000; i += 1) {
      const rank = draw(random);
      counts[rank] = (counts[rank] ?? 0) + 1;
    }
    const [first = 0, second = 0] = counts;
    expect(first / second).toBeGreaterThan(1.7);
    expect(first / second).toBeLessThan(2.3);
    expect(counts.filter((count) => count > 0).length).toBeGreaterThan(900);
  });
});

describe("options", () => {
  it("reads shares in both forms", () => {
    expect(parseOptions(["--refunds", "5%", "--late", "0.02", "--rate", "0.5"])).toMatchObject({
      refunds: 0.05,
      late: 0.02,
      rate: 0.5,
      customers: 1000,
    });
  });

  it.each([
    [["--rate", "fast"], "--rate must be a number"],
    [["--refunds", "150%"], "--refunds must be a share"],
    [["--customers", "0"], "--customers must be a number from 1"],
    [["--customers", "1.5"], "--customers must be a whole number"],
    [["--refunds", "60%", "--late", "50%"], "more than 100%"],
    [["--colour", "red"], "colour"],
  ])("%s is refused", (args, message) => {
    expect(() => parseOptions(args)).toThrow(OptionError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});
