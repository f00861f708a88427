import type { OrderEvent } from "@perkstream/contracts";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Level, Settings } from "./domain/index.ts";
import { DriverPlayer } from "./testing/driver-player.ts";
import { MemoryPlayer } from "./testing/memory-player.ts";
import { openStage, type OpenStage } from "./testing/stage.ts";
import type { LadderSpec, PinSpec, Vector, VectorStep } from "./testing/vectors.ts";

/** Random stories of several customers: the program with its database, cut into chunks and restarted, must agree with the domain in memory. */

const RUNS = 25;
const MERCHANT = "4f981b0b-accf-4eb7-8018-7cd651c7e907";
const CUSTOMERS = ["anna", "ben", "zoë", 'x"{y},\\z'];
const HOUR_MS = 3_600_000;
const START_MS = Date.parse("2024-01-10T12:00:00Z");

type EventStep = VectorStep & { readonly kind: "event" };

let stage: OpenStage;

beforeAll(async () => {
  stage = await openStage(inject("stack").postgresUrl);
});

afterAll(() => stage.close());

const settings: fc.Arbitrary<Settings> = fc.record({
  metric: fc.constantFrom("net_spend", "order_count"),
  window: fc.constantFrom("rolling_days", "calendar_year", "anniversary_year", "lifetime"),
  days: fc.constantFrom(7, 30, 365),
  refundPolicy: fc.constantFrom("immediate", "at_period_end"),
  downgrade: fc.constantFrom("drop_to_qualified", "one_down"),
  graceDays: fc.constantFrom(0, 0, 5),
});

const ladder: fc.Arbitrary<LadderSpec> = fc.record({
  settings,
  levels: fc
    .tuple(fc.subarray(["a", "b", "c"], { minLength: 1 }), fc.constantFrom(0, 1), fc.integer({ min: 1, max: 5 }))
    .map(([ids, first, gap]) =>
      ids.map((id, i): Level => ({ id, name: id.toUpperCase(), threshold: BigInt(first + i * gap), cashbackMultiplierBps: 10_000 + i })),
    ),
  apply: fc.constantFrom("immediate", "grandfather"),
});

const hours = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 48 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 24 * 120 }) },
);
const customer = fc.nat({ max: CUSTOMERS.length - 1 });
const action = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("order" as const),
      hours,
      customer,
      late: fc.constantFrom(0, 0, 0, 30, 24 * 50),
      net: fc.integer({ min: 0, max: 4 }),
    }),
  },
  // Of an order that may come later (then it is parked), too much, or of somebody else's.
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("refund" as const),
      hours,
      customer,
      order: fc.nat({ max: 60 }),
      net: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), hours, customer, order: fc.nat({ max: 60 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("sweep" as const), hours }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("pin" as const, "promote" as const, "demote" as const, "unpin" as const),
      hours,
      customer,
      level: fc.constantFrom("a", "b", "c"),
      forHours: fc.option(fc.integer({ min: 1, max: 24 * 30 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("ladder" as const), hours, ladder }) },
);

const story = fc.record({
  first: ladder,
  zone: fc.constantFrom("UTC", "America/New_York", "Asia/Kathmandu"),
  actions: fc.array(action, { minLength: 10, maxLength: 90, size: "max" }),
  chunkSize: fc.integer({ min: 1, max: 40 }),
  background: fc.boolean(),
  restarts: fc.boolean(),
});

type Story = typeof story extends fc.Arbitrary<infer S> ? S : never;

function vectorOf({ first, zone, actions }: Story): Vector {
  let atMs = START_MS;
  let orders = 0;
  const steps = actions.map((spec, i): VectorStep => {
    atMs += spec.hours * HOUR_MS;
    if (spec.kind === "sweep") return { kind: "sweep", atMs };
    if (spec.kind === "ladder") return { kind: "ladder", atMs, ladder: spec.ladder };
    const customerId = CUSTOMERS[spec.customer]!;
    const base = { merchantId: MERCHANT, customerId, occurredAt: atMs };
    const event = (sent: OrderEvent): EventStep => ({ kind: "event", atMs, event: sent, key: `${MERCHANT}:${customerId}` });
    switch (spec.kind) {
      case "order": {
        const lines = [{ sku: "s", category: null, quantity: 1, netMinor: BigInt(spec.net) }];
        return event({
          type: "OrderPlaced",
          ...base,
          orderId: `o${orders++}`,
          occurredAt: atMs - spec.late * HOUR_MS,
          currency: "USD",
          lines,
          paidWithCashbackMinor: 0n,
        });
      }
      case "refund":
        return event({
          type: "OrderRefunded",
          ...base,
          orderId: `o${spec.order}`,
          refundId: `r${i % 7}`,
          lines: [{ line: 0, netMinor: BigInt(spec.net) }],
        });
      case "cancel":
        return event({ type: "OrderCancelled", ...base, orderId: `o${spec.order}`, reason: null });
      default: {
        const pin: PinSpec = {
          customerId,
          levelId: spec.level,
          note: "",
          actor: "ann",
          untilAt: spec.forHours === null ? null : atMs + spec.forHours * HOUR_MS,
        };
        return { kind: spec.kind, atMs, pin };
      }
    }
  });
  return { id: "story", title: "", merchantId: MERCHANT, currency: "USD", timeZone: zone, ladder: first, steps };
}

async function playBoth(told: Story): Promise<void> {
  const vector = vectorOf(told);
  const memory = new MemoryPlayer(vector, stage.codec);
  const driver = await DriverPlayer.open(stage, vector);
  const waiting: EventStep[] = [];
  const feed = () => driver.events(waiting.splice(0), told.chunkSize);
  for (const step of vector.steps) {
    if (step.kind === "event") {
      waiting.push(step);
      await memory.event(step);
      continue;
    }
    await feed();
    if (told.restarts) await stage.restart();
    if (step.kind === "sweep") await Promise.all([memory.sweep(step.atMs), driver.sweep(step.atMs)]);
    else if (step.kind === "ladder")
      await Promise.all([memory.edit(step.atMs, step.ladder), driver.edit(step.atMs, step.ladder, told.background)]);
    else if ("pin" in step) {
      expect(await driver.command(step.kind, step.atMs, step.pin)).toBe(await memory.command(step.kind, step.atMs, step.pin));
    }
  }
  await feed();
  await driver.sweep(0);
  const endMs = vector.steps.at(-1)!.atMs;
  for (const customerId of CUSTOMERS) {
    expect(summary(await driver.customer(customerId, endMs), told.background)).toEqual(
      summary(await memory.customer(customerId, endMs), told.background),
    );
  }
  expect((await driver.takeNotices()).map(noticeText).toSorted()).toEqual((await memory.takeNotices()).map(noticeText).toSorted());
  expect(driver.takeDeadLetters().toSorted()).toEqual(memory.takeDeadLetters().toSorted());
  expect(await driver.duplicates()).toBe(await memory.duplicates());
  expect(await driver.parked()).toBe(await memory.parked());
}

/** Without the background sweep an edit takes effect later, but as of the same moment. */
function summary(seen: Awaited<ReturnType<MemoryPlayer["customer"]>>, withOffsets: boolean) {
  if (seen === null) return null;
  const history = seen.history.map(({ from, to, reason, actor, asOf, ruleVersion, orderId, offset }) => ({
    from,
    to,
    reason,
    actor,
    asOf,
    ruleVersion,
    orderId,
    offset: withOffsets ? offset : null,
  }));
  return { ...seen, history };
}

function noticeText({
  customerId,
  occurredAt,
  orderId,
  fromTier,
  toTier,
  direction,
  reason,
  nextTier,
  toNextTierMinor,
}: Awaited<ReturnType<MemoryPlayer["takeNotices"]>>[number]): string {
  return [customerId, occurredAt, orderId, fromTier, toTier, direction, reason, nextTier, toNextTierMinor].join(" ");
}

describe("random stories through the program", () => {
  it("agree with the domain in memory, wherever the chunks end", async () => {
    await fc.assert(fc.asyncProperty(story, playBoth), { numRuns: RUNS, seed: 20_251_124 });
    const [row] = await stage.sql<
      { changes: bigint; reasons: bigint }[]
    >`SELECT count(*) AS changes, count(DISTINCT reason) AS reasons FROM tier.history`;
    expect(Number(row?.changes)).toBeGreaterThan(RUNS * 4);
    // Six reasons there are; a run of so few stories may miss one.
    expect(Number(row?.reasons)).toBeGreaterThanOrEqual(5);
  });
});
