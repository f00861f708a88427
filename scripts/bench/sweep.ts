import { connectRegistry, openOrderEncoder, topics, type OrderEvent } from "@perkstream/contracts";
import { createKafka } from "@perkstream/program";
import { type Bed, openBed } from "../bed/bed.ts";
import { benchStream } from "../bed/load.ts";
import { type BenchMerchant, createMerchants, rulesOfBench } from "../bed/merchants.ts";
import { openOrderProducer, type OrderProducer } from "../produce/order-producer.ts";
import { keyOf } from "../simulate/order-stream.ts";
import { connect, connectPatiently, percentiles } from "./latency.ts";

export interface SweepOptions {
  /** Orders whose cashback expires at nearly one time, about a lot each. */
  readonly lots: number;
  /** Within so many milliseconds; 0: all at one instant. */
  readonly spreadMs: number;
  /** Live orders a second, of other customers of the same merchants. */
  readonly rate: number;
  readonly customers: number;
  readonly merchants: number;
  readonly online: number;
  readonly seed: number;
}

const EXPIRY_MS = 180 * 86_400_000;
const BATCH = 2_000;
const TICK_MS = 5;
/** Live orders are measured for so long before anything is due; what comes earlier warms up. */
const QUIET_MS = 15_000;
const WARM_UP_MS = 10_000;
const AFTER_SECONDS = 5;
const LIMIT_MS = 10 * 60_000;

/**
 * Many lots expire at once while orders come in at a steady rate: how long live orders take, from when each was due to the frame
 * CashbackEarned at its customer's socket, before the moment and while the sweep works it off.
 */
export async function sweep(options: SweepOptions, say: (line: string) => void): Promise<Record<string, unknown>> {
  const bed = await openBed(say);
  const sockets: WebSocket[] = [];
  try {
    await bed.start(["tier-processor", "cashback-processor", "notifier", "merchant-api"]);
    const merchants = await createMerchants(bed.urlOf("merchant-api"), options.merchants);
    const encoder = await openOrderEncoder(connectRegistry(bed.stack.registryUrl));
    const producer = await openOrderProducer(createKafka({ brokers: bed.stack.kafkaBrokers.split(","), clientId: "bench" }), topics.orders);
    const send = (events: readonly OrderEvent[], timestampOf: (event: OrderEvent) => number) =>
      producer.send(events.map((event) => ({ key: keyOf(event), value: encoder.encode(event), timestamp: timestampOf(event) })));
    // So late that everything is in before it is due, however slow the machine is.
    const dueAt = Date.now() + 60_000 + options.lots;
    await preload(merchants, options, dueAt - EXPIRY_MS, send);
    await until(async () => (await handled(bed)) >= options.lots, LIMIT_MS);
    say(`${options.lots} orders are in; they expire in ${((dueAt - Date.now()) / 1_000).toFixed(0)} s`);
    if (Date.now() > dueAt - WARM_UP_MS - QUIET_MS) throw new Error("the lots were due before all of them were granted: use fewer");
    const sentAt = new Map<string, number>();
    const samples: Sample[] = [];
    for (let number = 1; number <= options.online; number++) {
      const merchant = merchants[number % merchants.length]!;
      const taken = { push: (ms: number) => samples.push({ at: Date.now(), ms }) };
      sockets.push(await connectPatiently(() => connect(bed, merchant, `customer-${number}`, sentAt, taken)));
    }
    const sweeping = live(merchants, options, sentAt, send);
    await until(async () => Date.now() > dueAt && !(await anythingDue(bed, dueAt + options.spreadMs)), LIMIT_MS, say);
    const doneAt = Date.now();
    await until(async () => Date.now() > doneAt + AFTER_SECONDS * 1_000, LIMIT_MS);
    const sent = await sweeping.stop();
    await until(async () => sentAt.size === 0, 10_000).catch(() => {});
    await producer.close();
    return result(options, { dueAt, doneAt, sent, samples, unanswered: sentAt.size, expired: await expired(bed) });
  } finally {
    for (const socket of sockets) socket.close();
    await bed.close();
  }
}

interface Sample {
  /** When the frame came, and how long after the order was due. */
  readonly at: number;
  readonly ms: number;
}

type Send = (events: readonly OrderEvent[], timestampOf: (event: OrderEvent) => number) => ReturnType<OrderProducer["send"]>;

async function preload(
  merchants: readonly BenchMerchant[],
  { lots, spreadMs, customers, seed }: SweepOptions,
  from: number,
  send: Send,
): Promise<void> {
  const stream = benchStream(merchants, { seed, customers, refunds: 0, duplicates: 0 });
  const at = (n: number) => from + Math.floor((n * spreadMs) / lots);
  for (let sent = 0; sent < lots; sent += BATCH) {
    const events = Array.from({ length: Math.min(BATCH, lots - sent) }, (_, i) => {
      const event = stream.next(at(sent + i));
      // None of those who order while it is swept: they would apply what is due for themselves.
      return { ...event, customerId: `earlier-${event.customerId}` };
    });
    await send(events, ({ occurredAt }) => occurredAt);
  }
}

function live(
  merchants: readonly BenchMerchant[],
  options: SweepOptions,
  sentAt: Map<string, number>,
  send: Send,
): { stop(): Promise<number> } {
  const stream = benchStream(merchants, { seed: options.seed + 1, customers: options.online, refunds: 0, duplicates: 0 });
  const began = performance.now();
  const state = { stopped: false };
  let sent = 0;
  const running = (async () => {
    while (!state.stopped) {
      const due = Math.floor(((performance.now() - began) / 1_000) * options.rate);
      const events: OrderEvent[] = [];
      for (; sent < due; sent++) {
        const next = stream.next(Date.now());
        // The two streams count their orders alike.
        const event = { ...next, orderId: `live-${next.orderId}` };
        if (event.type === "OrderPlaced") sentAt.set(event.orderId, began + (sent * 1_000) / options.rate);
        events.push(event);
      }
      if (events.length > 0) await send(events, ({ occurredAt }) => occurredAt);
      else await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  })();
  return {
    async stop() {
      state.stopped = true;
      await running;
      return sent;
    },
  };
}

async function handled(bed: Bed): Promise<number> {
  const [row] = await bed.sql<{ handled: bigint }[]>`SELECT sum(next_off)::int8 AS handled FROM cashback.progress`;
  return Number(row?.handled ?? 0);
}

async function anythingDue(bed: Bed, at: number): Promise<boolean> {
  const [row] = await bed.sql<{ due: boolean }[]>`SELECT EXISTS (SELECT FROM cashback.account WHERE due_at <= ${new Date(at)}) AS due`;
  return row?.due ?? false;
}

async function expired(bed: Bed): Promise<number> {
  const [row] = await bed.sql<{ lots: bigint }[]>`SELECT count(*) AS lots FROM cashback.lot WHERE expired > 0`;
  return Number(row?.lots ?? 0);
}

async function until(condition: () => Promise<boolean>, limitMs: number, say?: (line: string) => void): Promise<void> {
  const end = performance.now() + limitMs;
  for (let reported = performance.now(); !(await condition());) {
    if (performance.now() > end) throw new Error(`not reached within ${limitMs} ms`);
    if (say !== undefined && performance.now() - reported > 5_000) {
      reported = performance.now();
      say("waiting for the sweep");
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface Run {
  readonly dueAt: number;
  readonly doneAt: number;
  readonly sent: number;
  readonly samples: readonly Sample[];
  readonly unanswered: number;
  readonly expired: number;
}

function result(options: SweepOptions, { dueAt, doneAt, sent, samples, unanswered, expired }: Run): Record<string, unknown> {
  const between = (from: number, to: number) => percentiles(samples.filter(({ at }) => at >= from && at < to).map(({ ms }) => ms));
  const before = between(dueAt - QUIET_MS, dueAt);
  const during = between(dueAt, doneAt);
  return {
    bench: "sweep",
    ...options,
    rules: rulesOfBench,
    sent,
    measured: samples.length,
    unanswered,
    lotsExpired: expired,
    sweptInSeconds: Number(((doneAt - dueAt) / 1_000).toFixed(1)),
    msBefore: before,
    msDuring: during,
    heldBackMs: { p50: difference(during, before, "p50"), p99: difference(during, before, "p99"), max: difference(during, before, "max") },
  };
}

function difference(a: Record<string, number>, b: Record<string, number>, name: string): number {
  return Number(((a[name] ?? Number.NaN) - (b[name] ?? Number.NaN)).toFixed(1));
}
