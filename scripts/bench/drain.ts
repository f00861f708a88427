import { connectRegistry, openOrderEncoder, topics } from "@perkstream/contracts";
import { createKafka } from "@perkstream/program";
import { openOrderProducer } from "../produce/order-producer.ts";
import { openBed, type Bed } from "../bed/bed.ts";
import { benchStream, preload } from "../bed/load.ts";
import { createMerchants, rulesOfBench } from "../bed/merchants.ts";
import { cpuSecondsOfTree, memoryOf } from "./processes.ts";

export interface DrainOptions {
  readonly orders: number;
  readonly customers: number;
  readonly merchants: number;
  readonly refunds: number;
  readonly duplicates: number;
  /** Share of all orders that one customer places. */
  readonly hot: number;
  readonly seed: number;
}

/** Those that figures are compared by; a program that a shop adds costs what it costs. */
const ORDER_PROGRAMS = ["tier", "cashback"];
export const PROGRAMS = [...ORDER_PROGRAMS, "inbox"];
export const SERVICES = [...ORDER_PROGRAMS.map((program) => `${program}-processor`), "notifier"];
const POLL_MS = 100;
const LIMIT_MS = 30 * 60_000;

/** Preloads events into orders.v1, then starts the consumers and measures until all of it is through all of them. `afterwards` looks at what is there then. */
export async function drain(
  options: DrainOptions,
  say: (line: string) => void,
  afterwards: (bed: Bed) => Promise<Record<string, unknown>> = async () => ({}),
): Promise<Record<string, unknown>> {
  const bed = await openBed(say);
  try {
    const api = await bed.start(["merchant-api"]);
    const merchants = await createMerchants(bed.urlOf("merchant-api"), options.merchants);
    await api.stop();
    await fill(bed, merchants, options, say);
    return { ...(await measure(bed, options, say)), ...(await afterwards(bed)) };
  } finally {
    await bed.close();
  }
}

async function fill(
  bed: Bed,
  merchants: Parameters<typeof benchStream>[0],
  options: DrainOptions,
  say: (line: string) => void,
): Promise<void> {
  const kafka = createKafka({ brokers: bed.stack.kafkaBrokers.split(","), clientId: "bench" });
  const producer = await openOrderProducer(kafka, topics.orders);
  const encoder = await openOrderEncoder(connectRegistry(bed.stack.registryUrl));
  let reported = 0;
  await preload(benchStream(merchants, options), encoder, producer, options.orders, (sent) => {
    if (sent - reported < 50_000 && sent < options.orders) return;
    reported = sent;
    say(`preloaded ${sent} of ${options.orders}`);
  });
  await producer.close();
}

async function measure(bed: Bed, options: DrainOptions, say: (line: string) => void): Promise<Record<string, unknown>> {
  const before = cpuByName(await bed.pids());
  const spawnedAt = performance.now();
  let firstAt = 0;
  const times = new Map<string, number>();
  const starting = bed.start(SERVICES); // readiness comes on the way: the clock does not wait for it
  let reported = 0;
  for (;;) {
    const of = await progress(bed, options.orders);
    const now = performance.now();
    if (firstAt === 0 && PROGRAMS.some((name) => of(name).handled > 0)) firstAt = now;
    for (const name of PROGRAMS) if (of(name).complete && !times.has(name)) times.set(name, now);
    if (PROGRAMS.every((name) => of(name).complete)) break;
    if (now - reported > 2_000) {
      reported = now;
      say(`${((now - spawnedAt) / 1_000).toFixed(0)} s: ${PROGRAMS.map((name) => `${name} ${of(name).handled}`).join(", ")}`);
    }
    if (now - spawnedAt > LIMIT_MS) throw new Error("not drained in 30 minutes");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const end = performance.now();
  await starting;
  const pids = await bed.pids();
  const cpu = cpuByName(pids);
  const cpuUsPerOrder = perOrder(before, cpu, options.orders);
  const seconds = (end - firstAt) / 1_000;
  return {
    bench: "drain",
    ...options,
    rules: rulesOfBench,
    ordersPerSecond: Math.round(options.orders / seconds),
    seconds: Number(seconds.toFixed(1)),
    secondsFromSpawn: Number(((end - spawnedAt) / 1_000).toFixed(1)),
    aloneUntil: Object.fromEntries(PROGRAMS.map((name) => [name, Number(((times.get(name)! - firstAt) / 1_000).toFixed(1))])),
    cpuUsPerOrder,
    peakMemoryMb: Object.fromEntries(SERVICES.map((name) => [name, memoryOf(pids.get(name) ?? 0).peakMb])),
    counted: await counted(bed),
  };
}

export function cpuByName(pids: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...pids].map(([name, pid]) => [name, cpuSecondsOfTree(pid)]));
}

/** CPU time of all processes and of each, µs an order. */
export function perOrder(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>, orders: number): Record<string, number> {
  const each = Object.fromEntries(
    [...after].map(([name, seconds]) => [name, Math.round(((seconds - (before.get(name) ?? 0)) * 1e6) / orders)]),
  );
  return { all: Object.values(each).reduce((a, b) => a + b, 0), ...each };
}

type Done = (program: string) => { handled: number; complete: boolean };

/** Complete: everything read, and everything that came of it published (of orders) or stored (inbox). */
export async function progress(bed: Bed, orders: number): Promise<Done> {
  const rows = await bed.sql.unsafe<{ program: string; handled: bigint; out: bigint; published: bigint }[]>(
    PROGRAMS.map(
      (name) =>
        `SELECT '${name}' AS program, sum(next_off)::int8 AS handled, sum(out_seq)::int8 AS out, sum(published)::int8 AS published FROM ${name}.progress`,
    ).join(" UNION ALL "),
  );
  const of = (name: string) => {
    const row = rows.find(({ program }) => program === name);
    return { handled: Number(row?.handled ?? 0), out: Number(row?.out ?? 0), published: Number(row?.published ?? 0) };
  };
  const isThrough = (program: string) => of(program).handled >= orders && of(program).published >= of(program).out;
  const told = ORDER_PROGRAMS.reduce((sum, program) => sum + of(program).out, 0);
  const isInboxThrough = () => ORDER_PROGRAMS.every(isThrough) && of("inbox").handled >= told;
  return (program) => ({ handled: of(program).handled, complete: program === "inbox" ? isInboxThrough() : isThrough(program) });
}

async function counted(bed: Bed): Promise<Record<string, number>> {
  const [row] = await bed.sql<Record<string, bigint>[]>`SELECT
    (SELECT sum(duplicates)::int8 FROM tier.tally) AS duplicates,
    (SELECT count(*) FROM tier.dead_letter) + (SELECT count(*) FROM cashback.dead_letter) AS "deadLetters",
    (SELECT count(*) FROM tier.history) AS "tierChanges",
    (SELECT count(*) FROM cashback.lot) AS lots,
    (SELECT count(*) FROM inbox.notification) AS notifications`;
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value ?? 0)]));
}
