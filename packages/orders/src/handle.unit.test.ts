import type { OrderEvent } from "@perkstream/contracts";
import type { Outcome } from "@perkstream/program";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { handle } from "./handle.ts";
import { cancelled, entryOf, NOON, placed, refunded } from "./testing/events.ts";
import { memoryOrders, recordingEffects } from "./testing/memory.ts";

const shop = { id: 1, currency: "USD" };

function program() {
  const orders = memoryOrders();
  const effects = recordingEffects();
  let offset = 0;
  const feed = (event: OrderEvent, timestamp = NOON): Outcome =>
    handle(orders, entryOf(event, { offset: offset++, timestamp }), shop, effects);
  const remaining = () => orders.find(1, "o1")?.order.remaining;
  return { orders, effects, feed, remaining };
}

function result(outcome: Outcome): string {
  return typeof outcome.result === "string" ? outcome.result : outcome.result.rejected.reason;
}

describe("orders", () => {
  it("V05a: the same order counts once; other content or customer is a conflict", () => {
    const { feed, effects } = program();
    expect([placed(), placed(), placed()].map((event) => result(feed(event)))).toEqual(["applied", "duplicate", "duplicate"]);
    expect(feed(placed({ netMinor: [2999] })).result).toEqual({
      rejected: { reason: "order_conflict", message: "order o1 was counted with another lines[0].netMinor" },
    });
    expect(result(feed(placed({ customerId: "c2" })))).toBe("order_conflict");
    expect(result(feed(placed({ occurredAt: NOON + 1 })))).toBe("order_conflict");
    expect(effects.log).toEqual(["counted o1 1000"]);
  });

  it("the same content in other bytes is a duplicate", () => {
    const { orders, effects } = program();
    const entry = entryOf(placed());
    handle(orders, entry, shop, effects);
    const spaced = { ...entry, record: { ...entry.record, value: Buffer.concat([entry.record.value!, Buffer.from(" ")]) } };
    expect(result(handle(orders, spaced, shop, effects))).toBe("duplicate");
  });

  it("an order that the program refuses is not booked", () => {
    const { orders, effects } = program();
    const refusing = { ...effects, counted: () => ({ rejected: { reason: "invalid_event", message: "too much" } }) };
    expect(result(handle(orders, entryOf(placed()), shop, refusing))).toBe("invalid_event");
    expect(orders.find(1, "o1")).toBeUndefined();
  });
});

describe("refunds", () => {
  it("V05b: a refundId counts once; conflicts and what exceeds the order take nothing", () => {
    const { feed, remaining } = program();
    feed(placed({ netMinor: [10_000, 5_000] }));
    expect(result(feed(refunded("r1", [[0, 4000]])))).toBe("applied");
    expect(result(feed(refunded("r1", [[0, 4000]])))).toBe("duplicate");
    expect(result(feed(refunded("r1", [[0, 4001]])))).toBe("refund_conflict");
    expect(result(feed(refunded("r2", [[0, 6001]])))).toBe("refund_exceeds_order");
    expect(
      result(
        feed(
          refunded("r3", [
            [0, 1],
            [1, 5001],
          ]),
        ),
      ),
    ).toBe("refund_exceeds_order");
    expect(result(feed(refunded("r4", [[2, 1]])))).toBe("refund_exceeds_order");
    expect(result(feed(refunded("r4", [[-1, 1]])))).toBe("refund_exceeds_order");
    expect(remaining()).toEqual([6000n, 5000n]);
    expect(result(feed(refunded("r2", [[0, 6000]])))).toBe("applied");
    expect(remaining()).toEqual([0n, 5000n]);
  });

  it("a line named twice adds up", () => {
    const { feed, remaining } = program();
    feed(placed({ netMinor: [100] }));
    expect(
      result(
        feed(
          refunded("r1", [
            [0, 60],
            [0, 41],
          ]),
        ),
      ),
    ).toBe("refund_exceeds_order");
    expect(
      result(
        feed(
          refunded("r1", [
            [0, 60],
            [0, 40],
          ]),
        ),
      ),
    ).toBe("applied");
    expect(remaining()).toEqual([0n]);
  });

  it("customer_mismatch comes before refund_conflict", () => {
    const { feed } = program();
    feed(placed());
    feed(refunded("r1", [[0, 1]]));
    expect(result(feed(refunded("r1", [[0, 2]], { customerId: "c2" })))).toBe("customer_mismatch");
  });

  it("V04c: a cancellation takes what remains, a second one nothing", () => {
    const { feed, effects, orders } = program();
    feed(placed({ netMinor: [999, 999, 1] }));
    feed(refunded("r1", [[1, 999]]));
    expect(result(feed(cancelled()))).toBe("applied");
    expect(result(feed(cancelled({ reason: "again", occurredAt: NOON + 1 })))).toBe("duplicate");
    expect(effects.log.at(-1)).toBe("refunded null 1000 of 2 at 2");
    expect(orders.find(1, "o1")?.order.cancelled).toBe(true);
  });

  it("a cancellation of a fully refunded order is applied and takes nothing", () => {
    const { feed, effects } = program();
    feed(placed());
    feed(refunded("r1", [[0, 1000]]));
    expect(result(feed(cancelled()))).toBe("applied");
    expect(effects.log.at(-1)).toBe("refunded null 0 of 2 at 2");
    expect(result(feed(cancelled()))).toBe("duplicate");
  });
});

describe("parked events", () => {
  it("V25a: a refund before its order is applied right after it", () => {
    const { feed, effects } = program();
    expect(result(feed(refunded("r1", [[0, 1000]])))).toBe("parked");
    const outcome = feed(placed());
    expect(effects.log).toEqual(["counted o1 1000", "refunded r1 1000 of 0 at 1"]);
    expect(outcome).toMatchObject({ result: "applied", unparked: 1, duplicates: 0, deadLetters: [] });
    expect(outcome.notices.map(({ id }) => id)).toEqual(["o1", "r1"]);
  });

  it("V25b: in the order they arrived; one that does not fit is a dead letter with its own coordinates", () => {
    const { feed, effects, remaining } = program();
    const early: OrderEvent[] = [
      refunded("r1", [[0, 6000]]),
      refunded("r2", [[0, 5000]]),
      refunded("r1", [[0, 6000]]),
      refunded("r3", [[0, 4000]]),
      cancelled(),
      cancelled({ customerId: "c2" }),
    ];
    expect(early.map((event) => result(feed(event)))).toEqual(early.map(() => "parked"));
    const outcome = feed(placed({ netMinor: [10_000] }));
    expect(outcome).toMatchObject({ unparked: 6, duplicates: 1 });
    expect(outcome.deadLetters?.map(({ reason, record }) => [reason, record.offset])).toEqual([
      ["refund_exceeds_order", 1],
      ["customer_mismatch", 5],
    ]);
    expect(effects.log).toEqual([
      "counted o1 10000",
      "refunded r1 6000 of 0 at 6",
      "refunded r3 4000 of 3 at 6",
      "refunded null 0 of 4 at 6",
    ]);
    expect(remaining()).toEqual([0n]);
  });
});

describe("whatever comes", () => {
  const LINES = [500, 300, 1];
  const fits = fc.uniqueArray(fc.record({ line: fc.nat(2), part: fc.integer({ min: 1, max: 100 }) }), {
    maxLength: 6,
    selector: ({ line, part }) => `${line}/${part}`,
  });

  it("refunds that fit converge, in any order, however often they are repeated, before or after the order", () => {
    const history = fits.chain((parts) => {
      const refunds = parts.filter(({ line }) => line < 2).map(({ line, part }, i) => refunded(`r${i}`, [[line, Math.min(part, 50)]]));
      const events: OrderEvent[] = [placed({ netMinor: LINES }), ...refunds];
      return fc.tuple(fc.constant(events), fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }));
    });
    fc.assert(
      fc.property(history, ([once, shuffled]) => {
        const [straight, mixed] = [program(), program()];
        for (const event of once) straight.feed(event);
        for (const event of shuffled) mixed.feed(event);
        expect(mixed.remaining()).toEqual(straight.remaining());
        expect(mixed.effects.log.length).toBe(once.length);
      }),
    );
  });

  const anyEvent: fc.Arbitrary<OrderEvent> = fc.oneof(
    fc.constant(placed({ netMinor: LINES })),
    fc
      .record({ id: fc.nat(5), line: fc.integer({ min: -1, max: 3 }), amount: fc.integer({ min: 1, max: 600 }) })
      .map(({ id, line, amount }) => refunded(`r${id}`, [[line, amount]])),
    fc.constantFrom(cancelled(), cancelled({ customerId: "c2" }), placed({ netMinor: [1] }), placed({ customerId: "c2", netMinor: LINES })),
  );

  it("remaining is never negative and always the net less what was taken", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
        const { feed, orders } = program();
        for (const event of events) feed(event);
        const booked = orders.find(1, "o1");
        if (booked === undefined) return;
        for (const left of booked.order.remaining) expect(left).toBeGreaterThanOrEqual(0n);
        expect(booked.order.remainingMinor).toBe(booked.order.netMinor - BigInt(booked.extra.taken));
        expect(booked.order.cancelled).toBe(booked.order.refunds.has(""));
      }),
    );
  });

  it("what was a duplicate changed nothing, and every event that was taken is a duplicate at once", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 20 }), (events) => {
        const { feed, effects, orders } = program();
        for (const event of events) {
          const first = result(feed(event));
          const [seen, before] = [effects.log.length, orders.find(1, "o1")?.order.remaining];
          const again = result(feed(event));
          if (first === "applied" || first === "duplicate") expect(again).toBe("duplicate");
          expect(effects.log.length).toBe(seen);
          expect(orders.find(1, "o1")?.order.remaining).toEqual(before);
        }
      }),
    );
  });
});
