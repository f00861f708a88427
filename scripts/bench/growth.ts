import { connectRegistry, openOrderEncoder, topics } from "@perkstream/contracts";
import { createKafka } from "@perkstream/program";
import { type Bed, openBed } from "../bed/bed.ts";
import { benchStream, preload } from "../bed/load.ts";
import { createMerchants, rulesOfBench } from "../bed/merchants.ts";
import { openOrderProducer } from "../produce/order-producer.ts";
import { cpuByName, type DrainOptions, perOrder, progress, PROGRAMS, SERVICES } from "./drain.ts";

const FIRST_SIZE = 10_000;
const MEASURED = 50_000;
const POLL_MS = 50;
const LIMIT_MS = 30 * 60_000;

/**
 * What an order costs when there are 10,000, 100,000, … `orders` already. At each size the consumers are stopped for a moment (SIGSTOP),
 * 50,000 orders are put into the topic, and the CPU time is taken from their going on until all of it is through all of them: the
 * start of a process and the making of the load do not count.
 */
export async function growth(options: DrainOptions, say: (line: string) => void): Promise<Record<string, unknown>> {
  const bed = await openBed(say);
  try {
    await bed.start(["merchant-api"]);
    const merchants = await createMerchants(bed.urlOf("merchant-api"), options.merchants);
    await bed.start(SERVICES);
    const producer = await openOrderProducer(createKafka({ brokers: bed.stack.kafkaBrokers.split(","), clientId: "bench" }), topics.orders);
    const encoder = await openOrderEncoder(connectRegistry(bed.stack.registryUrl));
    const stream = benchStream(merchants, options);
    let sent = 0;
    const fill = async (count: number) => {
      await preload(stream, encoder, producer, count, () => {});
      sent += count;
    };
    const rows: Record<string, unknown>[] = [];
    for (const size of sizes(options.orders)) {
      if (size > sent) await fill(size - sent);
      await through(bed, sent, say);
      rows.push(await measure(bed, sent, () => fill(MEASURED), say));
      say(JSON.stringify(rows.at(-1)));
    }
    await producer.close();
    return { bench: "growth", ...options, rules: rulesOfBench, measured: MEASURED, rows };
  } finally {
    await bed.close();
  }
}

function sizes(largest: number): number[] {
  const all: number[] = [];
  for (let size = FIRST_SIZE; size < largest; size *= 10) all.push(size);
  return [...all, largest];
}

async function measure(bed: Bed, before: number, fill: () => Promise<void>, say: (line: string) => void): Promise<Record<string, unknown>> {
  const consumers = [...(await bed.pids())].filter(([name]) => SERVICES.includes(name)).map(([, pid]) => pid);
  for (const pid of consumers) process.kill(pid, "SIGSTOP");
  let cpu: ReadonlyMap<string, number>;
  try {
    await fill();
    cpu = cpuByName(await bed.pids());
  } finally {
    for (const pid of consumers) process.kill(pid, "SIGCONT");
  }
  const began = performance.now();
  await through(bed, before + MEASURED, say);
  const seconds = (performance.now() - began) / 1_000;
  const cost = perOrder(cpu, cpuByName(await bed.pids()), MEASURED);
  return { ordersBefore: before, ordersPerSecond: Math.round(MEASURED / seconds), cpuUsPerOrder: cost };
}

async function through(bed: Bed, orders: number, say: (line: string) => void): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  for (let reported = performance.now(); ;) {
    const done = await progress(bed, orders);
    if (PROGRAMS.every((name) => done(name).complete)) return;
    if (performance.now() > end) throw new Error(`${orders} orders were not through in 30 minutes`);
    if (performance.now() - reported > 5_000) {
      reported = performance.now();
      say(PROGRAMS.map((name) => `${name} ${done(name).handled} of ${orders}`).join(", "));
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
