import { describe, expect, it } from "vitest";
import { campaignBody, eventsOf, ladderBody, orderEvent } from "./defaults.ts";
import { anyOrder, differences } from "./difference.ts";
import { parsePlayOptions, PlayOptionError } from "./options.ts";
import { StoryPositions } from "./positions.ts";
import { parseStories, StoryError } from "./story.ts";

const at = "2025-01-10T12:00:00Z";
const storyWith = (...steps: object[]) => JSON.stringify({ vectors: [{ id: "S1", steps }] });

describe("differences", () => {
  it("looks only at what is expected, inside objects too; null is absent or null", () => {
    const got = { tier: "T1", cashback: { pendingMinor: 5, debtMinor: 0 }, validUntil: null };
    expect(differences("c1", { tier: "T1", validUntil: null, gone: null, cashback: { pendingMinor: 5 } }, got)).toEqual([]);
    expect(differences("c1", { tier: null, cashback: { pendingMinor: 6 } }, got)).toEqual([
      { path: "c1.tier", expected: null, got: "T1" },
      { path: "c1.cashback.pendingMinor", expected: 6, got: 5 },
    ]);
    expect(differences("c2", { tier: "T1" }, null)).toEqual([{ path: "c2", expected: { tier: "T1" }, got: null }]);
  });

  it("wants arrays of the same length, and the same instants however they are written", () => {
    expect(differences("a", [{ at }, 2], [{ at: "2025-01-10T12:00:00.000Z", more: 1 }, 2])).toEqual([]);
    expect(differences("a", [1], [1, 2])).toEqual([{ path: "a", expected: [1], got: [1, 2] }]);
    expect(differences("a", [], undefined)).toHaveLength(1);
    expect(differences("a", at, "2025-01-10T12:00:00.001Z")).toHaveLength(1);
  });
});

describe("anyOrder", () => {
  const fits = (wanted: Record<string, number>, got: Record<string, number>) => differences("", wanted, got).length === 0;
  const match = (wanted: Record<string, number>[], got: Record<string, number>[]) => anyOrder("n", wanted, got, fits, (row) => row);

  it("gives each expected item one of its own, though a partial one fits several", () => {
    const got = [
      { a: 1, b: 1 },
      { a: 1, b: 2 },
      { a: 1, b: 3 },
    ];
    expect(match([{ a: 1 }, { b: 1 }, { a: 1, b: 2 }], got)).toEqual([]);
    expect(match([{ b: 3 }, { a: 1 }, { b: 1 }], got)).toEqual([]);
  });

  it("tells what is missing and what is too many", () => {
    const got = [{ a: 1 }, { a: 1 }];
    expect(match([{ a: 1 }, { a: 2 }], got)).toEqual([{ path: "n", expected: { missing: [{ a: 2 }] }, got: { surplus: [{ a: 1 }] } }]);
    expect(match([], [])).toEqual([]);
  });

  it("matches a thousand equal items at once", () => {
    const many = Array.from({ length: 1_000 }, () => ({ a: 1 }));
    expect(match(many, many)).toEqual([]);
  });
});

describe("StoryPositions", () => {
  // Events 0 to 3 of a story among those of others, in partitions 5, 7, 5, 5.
  const positions = new StoryPositions();
  for (const [partition, offset] of [
    [5, 10],
    [7, 3],
    [5, 20],
    [5, 21],
  ] as const)
    positions.add({ partition, offset });

  it("after an event: the number behind it, and none where no event of the story lies", () => {
    expect(positions.effective({ partition: 5, offset: 21 }, true, undefined)).toBe(3);
    expect(positions.effective({ partition: 7, offset: 4 }, true, undefined)).toBe(2);
    expect(positions.effective({ partition: 5, offset: 15 }, true, 1)).toBeNull();
  });

  it("otherwise: any number between the same events of that partition", () => {
    const between = { partition: 5, offset: 15 };
    expect([1, 2].map((wished) => positions.effective(between, false, wished))).toEqual([1, 2]);
    expect([0, 3, undefined].map((wished) => positions.effective(between, false, wished))).toEqual([1, 1, 1]);
    expect(positions.effective({ partition: 5, offset: 99 }, false, 9)).toBe(9);
  });
});

describe("a story", () => {
  it("with what the player does not know is refused by name", () => {
    for (const [steps, message] of [
      [[{ expect: { customers: { c1: { mood: "good" } } } }], /S1.*mood/],
      [[{ expect: { weather: 1 } }], /weather/],
      [[{ at, dance: true }], /dance/],
      [[{ at }], /exactly one/],
      [[{ at, sweep: true, commit: { id: "p1" } }], /exactly one/],
      [[{ sweep: true }], /at/],
      [[{ at: "noon", sweep: true }], /time/],
      [[{ at, raw: "0g" }], /hexadecimal/],
    ] as const)
      expect(() => parseStories(storyWith(...steps))).toThrow(message);
    expect(() => parseStories("{}")).toThrow(StoryError);
    expect(() => parseStories("no")).toThrow(StoryError);
  });

  it("gets what it leaves out", () => {
    const line = { netMinor: 5 };
    const [story] = parseStories(
      storyWith({ at, event: { type: "OrderPlaced", customerId: "c1", orderId: "o", lines: [line] }, copies: 2 }, { at, raw: "00ff" }),
    );
    const merchant = { merchantId: "m", currency: "EUR", timeZone: "UTC", clawbackPolicy: "allow_negative", expiringNoticeDays: 0 };
    const [copies, raw] = (story?.steps ?? []).map((step) => eventsOf(step, "m"));
    expect(copies?.map(({ key, event }) => [key, event?.orderId])).toEqual([
      ["m:c1", "o-1"],
      ["m:c1", "o-2"],
    ]);
    expect(copies?.[0]?.event && orderEvent(copies[0].event, at, merchant)).toEqual({
      type: "OrderPlaced",
      merchantId: "m",
      customerId: "c1",
      orderId: "o-1",
      occurredAt: Date.parse(at),
      currency: "EUR",
      lines: [{ sku: "sku", category: null, quantity: 1, netMinor: 5n }],
      paidWithCashbackMinor: 0n,
    });
    expect(raw).toEqual([{ event: null, raw: Buffer.from([0, 255]), key: "m:raw", at }]);
    expect(ladderBody({ settings: { window: "lifetime", days: 9 }, levels: [] }).settings).not.toHaveProperty("days");
    expect(ladderBody({ levels: [] }).settings).toMatchObject({ window: "rolling_days", days: 365, graceDays: 0 });
    const bare = { include: null, exclude: undefined, endsAt: undefined, name: undefined, startsAt: undefined };
    expect(campaignBody({ id: "k", rateBps: 1, ...bare })).toMatchObject({
      name: "k",
      stacking: "best",
      tierMultiplier: true,
      status: "active",
    });
  });
});

describe("options", () => {
  it("have defaults, and name what cannot be read", () => {
    expect(parsePlayOptions([])).toMatchObject({ file: "vectors/vectors.json", only: null, atOnce: 16, through: "kafka" });
    expect(parsePlayOptions(["--only", "V01, V02"]).only).toEqual(new Set(["V01", "V02"]));
    for (const args of [["--at-once", "0"], ["--through", "mail"], ["--what"]])
      expect(() => parsePlayOptions(args)).toThrow(PlayOptionError);
  });
});
