import { connectRegistry, openOrderEncoder, topics } from "@perkstream/contracts";
import { createKafka } from "@perkstream/program";
import { openOrderProducer } from "../produce/order-producer.ts";
import { keyOf } from "../simulate/order-stream.ts";
import { openBed, type Bed } from "../bed/bed.ts";
import { benchStream } from "../bed/load.ts";
import { call, createMerchants, rulesOfBench, type BenchMerchant } from "../bed/merchants.ts";
import { services } from "../start/services.ts";
import { cpuSecondsOfTree, memoryOf } from "./processes.ts";

export interface LatencyOptions {
  readonly rate: number;
  readonly seconds: number;
  readonly customers: number;
  readonly merchants: number;
  readonly online: number;
  readonly seed: number;
}

const TICK_MS = 5;
const WARM_UP_SECONDS = 20;

/** Sends orders at a steady rate and measures from the moment each was due to the frame CashbackEarned at its customer's socket. */
export async function latency(options: LatencyOptions, say: (line: string) => void): Promise<Record<string, unknown>> {
  const bed = await openBed(say);
  const sockets: WebSocket[] = [];
  try {
    await bed.start(services.map(({ name }) => name));
    const merchants = await createMerchants(bed.urlOf("merchant-api"), options.merchants);
    const sentAt = new Map<string, number>();
    const samples: number[] = [];
    for (let number = 1; number <= options.online; number++) {
      const merchant = merchants[number % merchants.length]!;
      sockets.push(await connectPatiently(() => connect(bed, merchant, `customer-${number}`, sentAt, samples)));
    }
    say(`${sockets.length} customers online`);
    let cpuBefore = await cpu(bed);
    const sent = await send(bed, merchants, options, sentAt, say, async () => void (cpuBefore = await cpu(bed)));
    const { seconds } = options;
    await settled(() => sentAt.size === 0);
    const cpuAfter = await cpu(bed);
    const pids = await bed.pids();
    return {
      bench: "latency",
      ...options,
      rules: rulesOfBench,
      sent,
      measured: samples.length,
      unanswered: sentAt.size,
      ms: percentiles(samples),
      cores: Object.fromEntries(
        [...cpuAfter].map(([name, after]) => [name, Number(((after - (cpuBefore.get(name) ?? 0)) / seconds).toFixed(2))]),
      ),
      peakMemoryMb: Object.fromEntries(
        [...pids].filter(([name]) => name.includes("-") || name === "notifier").map(([name, pid]) => [name, memoryOf(pid).peakMb]),
      ),
    };
  } finally {
    for (const socket of sockets) socket.close();
    await bed.close();
  }
}

/** The notifier refuses upgrades above its rate: again a little later. */
export async function connectPatiently(attempt: () => Promise<WebSocket>): Promise<WebSocket> {
  for (let left = 20; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

/** A customer online: each CashbackEarned of an order in `sentAt` (its due time by `performance.now()`) becomes a sample, ms. */
export async function connect(
  bed: Bed,
  merchant: BenchMerchant,
  customerId: string,
  sentAt: Map<string, number>,
  samples: { push(ms: number): unknown },
): Promise<WebSocket> {
  const { token, url } = await call<{ token: string; url: string }>(
    bed.urlOf("merchant-api"),
    "POST",
    `/v1/customers/${customerId}/tokens`,
    { "x-api-key": merchant.apiKey },
    {},
  );
  const socket = new WebSocket(url, ["perks.v1", `perks.auth.${token}`]);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("error", () => reject(new Error(`no connection to ${url}`)));
    socket.addEventListener("close", ({ code, reason }) => reject(new Error(`closed with ${code} ${reason} before welcome`)));
    socket.addEventListener("open", () => socket.send(JSON.stringify({ t: "hello", device: "bench" })));
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as { t: string; type?: string; data?: { orderId: string } };
      if (frame.t === "welcome") resolve();
      if (frame.type !== "CashbackEarned") return;
      const orderId = frame.data?.orderId ?? "";
      const began = sentAt.get(orderId);
      if (began === undefined) return;
      sentAt.delete(orderId);
      samples.push(performance.now() - began);
    });
  });
  return socket;
}

async function send(
  bed: Bed,
  merchants: readonly BenchMerchant[],
  options: LatencyOptions,
  sentAt: Map<string, number>,
  say: (line: string) => void,
  onWarm: () => Promise<void>,
): Promise<number> {
  const producer = await openOrderProducer(createKafka({ brokers: bed.stack.kafkaBrokers.split(","), clientId: "bench" }), topics.orders);
  const encoder = await openOrderEncoder(connectRegistry(bed.stack.registryUrl));
  const stream = benchStream(merchants, { seed: options.seed, customers: options.customers, refunds: 0, duplicates: 0 });
  const total = options.rate * (options.seconds + WARM_UP_SECONDS);
  const warmUp = options.rate * WARM_UP_SECONDS;
  const began = performance.now();
  let sent = 0;
  let warm = false;
  for (let reported = 0; sent < total;) {
    if (!warm && sent >= warmUp) {
      warm = true;
      await onWarm();
    }
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1_000) * options.rate));
    const records = [];
    for (; sent < due; sent++) {
      const timestamp = Date.now();
      const event = stream.next(timestamp);
      const online = Number(event.customerId.slice("customer-".length)) <= options.online;
      if (online && sent >= warmUp && event.type === "OrderPlaced") sentAt.set(event.orderId, began + (sent * 1_000) / options.rate);
      records.push({ key: keyOf(event), value: encoder.encode(event), timestamp });
    }
    // One send at a time: what becomes due meanwhile goes with the next, and its wait counts.
    if (records.length > 0) await producer.send(records);
    else await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    if (sent - reported >= options.rate * 5) {
      reported = sent;
      say(`sent ${sent} of ${total}`);
    }
  }
  await producer.close();
  return sent;
}

async function settled(condition: () => boolean): Promise<void> {
  const until = performance.now() + 10_000;
  while (!condition() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function cpu(bed: Bed): Promise<Map<string, number>> {
  return new Map([...(await bed.pids()), ["bench", process.pid] as const].map(([name, pid]) => [name, cpuSecondsOfTree(pid)]));
}

export function percentiles(samples: readonly number[]): Record<string, number> {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN).toFixed(1));
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) };
}
