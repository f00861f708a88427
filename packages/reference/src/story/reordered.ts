import { timeText } from "../model/time.ts";
import { randomFrom, type Random } from "./random.ts";
import { randomLevels, randomMerchant, randomSettings } from "./random-rules.ts";
import type { EventInput, PlacedInput, RefundLine, Step, Story } from "./types.ts";

const hourMs = 3_600_000;
const start = Date.parse("2024-02-20T10:00:00Z");
/** Everything happened before the first record of the log, so that no order of the records is a different course of time. */
const received = start + 800 * 24 * hourMs;

/**
 * The same events several times over: in any order, refunds before their orders too, and each up to three times.
 * With these settings (immediate, drop_to_qualified, no grace, no anniversary; one campaign without limits) all must end alike.
 */
export function reorderedStories(seed: number, orders = 4): Story[] {
  const random = randomFrom(seed);
  const base = randomSettings(random);
  const window = base.window === "anniversary_year" ? "calendar_year" : base.window;
  const settings = { ...base, window, refundPolicy: "immediate", downgrade: "drop_to_qualified", graceDays: 0 } as const;
  const opening = {
    merchant: { ...randomMerchant(random), clawbackPolicy: "allow_negative", expiringNoticeDays: 0 } as const,
    ladder: { settings, levels: randomLevels(random, settings) },
    campaigns: [{ id: "k1", rateBps: random.pick([1, 333, 10_000]), tierMultiplier: false, perOrderCapMinor: random.pick([null, 40]) }],
  };
  const events = Array.from({ length: random.whole(1, 5) }, (_, number) => history(random, `o${number + 1}`)).flat();
  return Array.from({ length: orders }, (_, version) => ({
    id: `R${seed}.${version}`,
    title: `the events of seed ${seed}, in order ${version}`,
    ...opening,
    steps: version === 0 ? logged(events) : logged(shuffled(random, repeated(random, events))),
  }));
}

/** An order with refunds that fit in any order, and perhaps a cancellation. */
function history(random: Random, orderId: string): EventInput[] {
  const customerId = random.pick(["c1", "c2"]);
  const hours = random.whole(0, 500 * 24);
  const happened = (later: number) => timeText(start + (hours + later) * hourMs);
  const nets = Array.from({ length: random.whole(1, 3) }, () => random.pick([0, 1, 50, 999, 1000, 2500]));
  const placed: PlacedInput = {
    type: "OrderPlaced",
    customerId,
    orderId,
    occurredAt: happened(0),
    lines: nets.map((netMinor) => ({ netMinor })),
  };
  const left = [...nets];
  const refunds = Array.from({ length: random.whole(0, 3) }, (_, number): EventInput[] => {
    const lines = portion(random, left);
    const refundId = `r${number + 1}`;
    return lines.length === 0 ? [] : [{ type: "OrderRefunded", customerId, orderId, refundId, occurredAt: happened(number + 1), lines }];
  }).flat();
  const cancelled: EventInput[] = random.chance(0.2) ? [{ type: "OrderCancelled", customerId, orderId, occurredAt: happened(9) }] : [];
  return [placed, ...refunds, ...cancelled];
}

function portion(random: Random, left: number[]): RefundLine[] {
  return left.flatMap((amount, line) => {
    const netMinor = random.pick([0, amount, random.whole(0, amount)]);
    left[line] = amount - netMinor;
    return netMinor === 0 ? [] : [{ line, netMinor }];
  });
}

function repeated(random: Random, events: readonly EventInput[]): EventInput[] {
  return events.flatMap((event) => Array.from({ length: random.pick([1, 1, 2, 3]) }, () => event));
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

function logged(events: readonly EventInput[]): Step[] {
  const steps: Step[] = events.map((event, position) => ({ at: timeText(received + position * 1000), event }));
  return [...steps, { at: timeText(received + 24 * hourMs), sweep: true }];
}
