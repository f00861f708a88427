import type { OrderEvent } from "@perkstream/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CardVersion } from "./cards.ts";
import { standingOf, unitsLeft } from "./domain/index.ts";
import { cancelled, placed, refunded } from "./testing/events.ts";
import { memoryProgram } from "./testing/memory-program.ts";

const card = (cardId: string, more: Partial<CardVersion> = {}): Omit<CardVersion, "edit"> => ({
  cardId,
  version: 1,
  name: `The ${cardId} card`,
  category: cardId,
  size: 3,
  active: true,
  from: [0],
  ...more,
});

function open(...cards: Omit<CardVersion, "edit">[]) {
  const program = memoryProgram(cards.length === 0 ? [card("coffee")] : cards);
  const on = (cardId: string) => {
    const { units, rewards } = program.customer.sheet(cardId);
    return { ...program.cards.standing(cardId, units), given: rewards };
  };
  return { ...program, on };
}

describe("what a customer is told", () => {
  it("per order and card: the stamps, then the reward", async () => {
    const { feed, told } = open();
    feed(placed("o1", [["coffee", 2, 600]]));
    feed(placed("o2", [["coffee", 3, 1_000]]));
    feed(placed("o3", [["coffee", 2, 500]]));
    feed(placed("o4", [["coffee", 1, 250]]));
    const all = await told();
    expect(all).toMatchObject([
      { type: "StampAdded", orderId: "o1", cardId: "coffee", card: "The coffee card", added: 2, stamps: 2, size: 3 },
      { type: "StampAdded", orderId: "o2", added: 2, stamps: 1 },
      { type: "RewardEarned", orderId: "o2", card: "The coffee card", rewards: 1, amountMinor: 333, currency: "USD", stamps: 1 },
      { type: "StampAdded", orderId: "o3", added: 2, stamps: 3 },
      { type: "RewardEarned", orderId: "o4", rewards: 1, amountMinor: 250, stamps: 0 },
    ]);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it("for every card of the line's category, and for no other line", async () => {
    const { feed, told } = open(
      card("a", { category: "tea" }),
      card("b", { category: "tea", size: 1 }),
      card("c", { active: false, category: "tea" }),
    );
    feed(
      placed("o1", [
        ["tea", 2, 10],
        [null, 5, 10],
        ["Tea", 5, 10],
      ]),
    );
    expect(await told()).toMatchObject([
      { type: "StampAdded", cardId: "a", added: 2 },
      { type: "StampAdded", cardId: "b", added: 1, stamps: 0 },
      { type: "RewardEarned", cardId: "b", amountMinor: 5 },
    ]);
  });

  it("nothing when an order comes again", () => {
    const { feed, notices } = open();
    expect(feed(placed("o1", [["coffee", 4, 40]])).result).toBe("applied");
    expect(feed(placed("o1", [["coffee", 4, 40]]))).toEqual({ result: "duplicate", notices: [] });
    expect(feed(placed("o1", [["coffee", 5, 40]])).result).toMatchObject({ rejected: { reason: "order_conflict" } });
    expect(notices).toHaveLength(2);
  });
});

describe("a refund", () => {
  it("takes stamps back; a reward that was given stays, and is not given twice", async () => {
    const { feed, told, on } = open();
    feed(placed("o1", [["coffee", 5, 500]]));
    expect(on("coffee")).toEqual({ rewards: 1, stamps: 1, given: 1 });
    expect(feed(refunded("o1", "r1", [[0, 200]])).notices).toEqual([]);
    expect(on("coffee")).toEqual({ rewards: 0, stamps: 3, given: 1 });
    feed(placed("o2", [["coffee", 1, 100]]));
    expect(on("coffee")).toEqual({ rewards: 1, stamps: 0, given: 1 });
    feed(placed("o3", [["coffee", 4, 400]]));
    expect((await told()).map(({ type, orderId }) => `${type} ${String(orderId)}`)).toEqual([
      "StampAdded o1",
      "RewardEarned o1",
      "StampAdded o3",
      "RewardEarned o3",
    ]);
  });

  it("counts by the card as it was when the order was counted", () => {
    const { feed, on } = open(
      card("coffee"),
      card("coffee", { version: 2, category: "tea", from: [1] }),
      card("coffee", { version: 3, active: false, from: [2] }),
    );
    feed(
      placed("o1", [
        ["coffee", 2, 20],
        ["tea", 9, 90],
      ]),
    );
    feed(placed("o2", [["tea", 1, 10]]));
    feed(placed("o3", [["tea", 1, 10]]));
    expect(on("coffee")).toMatchObject({ stamps: 3 });
    feed(cancelled("o1"));
    expect(on("coffee")).toMatchObject({ stamps: 1 });
  });

  it("before its order waits, and is dead when it asks for more than there is", () => {
    const { feed, on } = open();
    expect(feed(refunded("o1", "r1", [[0, 10]])).result).toBe("parked");
    expect(feed(refunded("o1", "r2", [[0, 99]])).result).toBe("parked");
    expect(feed(placed("o1", [["coffee", 2, 20]]))).toMatchObject({ unparked: 2, deadLetters: [{ reason: "refund_exceeds_order" }] });
    expect(on("coffee")).toMatchObject({ stamps: 1 });
  });
});

it("a customer's units have a bound, and an order beyond it changes nothing", () => {
  const { feed, customer } = open();
  customer.addUnits("coffee", 1, Number.MAX_SAFE_INTEGER);
  expect(feed(placed("o1", [["coffee", 1, 10]])).result).toMatchObject({ rejected: { reason: "invalid_event" } });
  expect(customer.unitsOf("coffee")).toBe(Number.MAX_SAFE_INTEGER);
});

describe("in whatever order refunds and repeats come", () => {
  const categories = fc.constantFrom<string | null>("coffee", "tea", null);
  const someLines = fc.array(fc.tuple(categories, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 60 })), {
    minLength: 1,
    maxLength: 3,
  });
  const someOrders = fc.array(
    fc.record({ lines: someLines, refund: fc.option(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 60 }))), cancel: fc.boolean() }),
    {
      minLength: 1,
      maxLength: 6,
    },
  );

  it("the same units are left, the standing is that of these units, and every reward is told once", async () => {
    await fc.assert(
      fc.asyncProperty(someOrders, fc.array(fc.nat(), { minLength: 40, maxLength: 40 }), async (orders, random) => {
        const events = shuffled(
          orders.map(({ lines, refund, cancel }, i) => eventsOf(`o${i}`, lines, refund, cancel)),
          random,
        );
        const { feed, told, customer, cards } = open(card("coffee"), card("tea", { size: 2 }));
        for (const event of events) feed(event);
        const rewards = (await told()).filter(({ type }) => type === "RewardEarned");
        for (const [cardId, size] of [
          ["coffee", 3],
          ["tea", 2],
        ] as const) {
          const { units, rewards: given } = customer.sheet(cardId);
          const left = orders.reduce((sum, { lines, refund, cancel }) => sum + unitsOf(cardId, lines, refund, cancel), 0);
          expect(units.reduce((sum, one) => sum + one, 0)).toBe(left);
          expect(cards.standing(cardId, units)).toEqual(standingOf([{ size, units: left }]));
          expect(given).toBeGreaterThanOrEqual(standingOf([{ size, units: left }]).rewards);
          expect(rewards.filter((told) => told["cardId"] === cardId).reduce((sum, told) => sum + Number(told["rewards"]), 0)).toBe(given);
        }
        expect(new Set((await told()).map(({ id }) => id)).size).toBe((await told()).length);
      }),
      { numRuns: 200 },
    );
  });

  type Lines = readonly (readonly [string | null, number, number])[];
  type Refund = readonly [number, number] | null;

  function eventsOf(orderId: string, lines: Lines, refund: Refund, cancel: boolean): OrderEvent[] {
    const order = placed(orderId, lines);
    const asked = refund === null ? [] : [refunded(orderId, "r", [[refund[0] % lines.length, refund[1]]])];
    return [order, order, ...asked, ...asked, ...(cancel ? [cancelled(orderId)] : [])];
  }

  function unitsOf(category: string, lines: Lines, refund: Refund, cancel: boolean): number {
    const at = refund === null ? -1 : refund[0] % lines.length;
    return lines.reduce((sum, [of, quantity, net], i) => {
      const taken = i === at && refund !== null && refund[1] <= net ? refund[1] : 0;
      return of === category ? sum + unitsLeft({ category: of, quantity, netMinor: BigInt(net) }, BigInt(net - taken), cancel) : sum;
    }, 0);
  }

  /** All events in some order; of each order's own, the cancellation stays last: after it nothing can be refunded. */
  function shuffled(lists: readonly OrderEvent[][], random: readonly number[]): OrderEvent[] {
    const left = lists.map((list, i) => rotated(list, random[i] ?? 0));
    const all: OrderEvent[] = [];
    for (let step = 0; left.some((list) => list.length > 0); step++) {
      const open = left.filter((list) => list.length > 0);
      all.push(open[(random[step % random.length] ?? 0) % open.length]!.shift()!);
    }
    return all;
  }

  function rotated(list: readonly OrderEvent[], by: number): OrderEvent[] {
    const last = list.filter(({ type }) => type === "OrderCancelled");
    const others = list.filter(({ type }) => type !== "OrderCancelled");
    const at = by % others.length;
    return [...others.slice(at), ...others.slice(0, at), ...last];
  }
});
