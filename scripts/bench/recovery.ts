import { connectRegistry, openOrderEncoder, topics } from "@perkstream/contracts";
import { createKafka, defaultSettings } from "@perkstream/program";
import { type Servers, startServers } from "@perkstream/stack";
import { type Bed, openBed } from "../bed/bed.ts";
import { benchStream } from "../bed/load.ts";
import { createMerchants } from "../bed/merchants.ts";
import { openOrderProducer, type OrderProducer } from "../produce/order-producer.ts";
import { keyOf } from "../simulate/order-stream.ts";

export interface RecoveryOptions {
  readonly rate: number;
  readonly customers: number;
  readonly merchants: number;
  readonly seed: number;
}

const PROGRAMS = ["tier", "cashback", "inbox"] as const;
type Name = (typeof PROGRAMS)[number];
const TICK_MS = 20;
const POLL_MS = 20;
const LIMIT_MS = 120_000;
const DOWN_MS = 5_000;
const BOUND_SECONDS = { killedConsumer: defaultSettings.sessionTimeoutMs / 1_000 + 3, restartedServer: 5 };

/** How long it takes until orders flow again, s: after kill -9 of a group's only consumer, and after a server is ready again. */
export async function recovery(options: RecoveryOptions, say: (line: string) => void): Promise<Record<string, unknown>> {
  let servers: Servers | undefined;
  const bed = await openBed(say, async (stackOptions) => (servers = await startServers(stackOptions)));
  try {
    if (servers === undefined) throw new Error("the bed has no stack");
    await bed.start(["tier-processor", "cashback-processor", "notifier", "merchant-api"]);
    const orders = await steadyOrders(bed, options);
    await flowing(bed, await positions(bed), PROGRAMS);
    const killed = await afterKill(bed, say);
    const broker = await afterRestart(bed, servers, "kafka", say);
    const database = await afterRestart(bed, servers, "postgres", say);
    const sent = await orders.stop();
    return {
      bench: "recovery",
      ...options,
      sent,
      boundSeconds: BOUND_SECONDS,
      seconds: { killedConsumer: killed, restartedBroker: broker, restartedDatabase: database },
    };
  } finally {
    await bed.close();
  }
}

/** From kill -9 of the tier processor, which is started again at once, to its first chunk. */
async function afterKill(bed: Bed, say: (line: string) => void): Promise<number> {
  const pid = (await bed.pids()).get("tier-processor");
  if (pid === undefined) throw new Error("the tier processor does not run");
  say("kill -9 of the tier processor");
  process.kill(pid, "SIGKILL");
  const killedAt = performance.now();
  const [before] = await Promise.all([positions(bed), bed.start(["tier-processor"])]);
  const at = await flowing(bed, before, ["tier"]);
  return secondsSince(killedAt, at.get("tier"));
}

/** From when the server is ready to the first chunk of each program. */
async function afterRestart(
  bed: Bed,
  servers: Servers,
  server: "kafka" | "postgres",
  say: (line: string) => void,
): Promise<Record<string, number>> {
  say(`restart of ${server}`);
  await servers.stopOne(server);
  await new Promise((resolve) => setTimeout(resolve, DOWN_MS));
  await servers.startOne(server);
  const readyAt = performance.now();
  const at = await flowing(bed, await positions(bed), PROGRAMS);
  return Object.fromEntries([...at].map(([name, time]) => [name, secondsSince(readyAt, time)]));
}

function secondsSince(from: number, to: number | undefined): number {
  return Number((((to ?? Number.NaN) - from) / 1_000).toFixed(1));
}

async function positions(bed: Bed): Promise<Map<Name, number>> {
  const rows = await Promise.all(
    PROGRAMS.map(async (name) => bed.sql.unsafe<{ next: bigint }[]>(`SELECT sum(next_off)::int8 AS next FROM ${name}.progress`)),
  );
  return new Map(PROGRAMS.map((name, i) => [name, Number(rows[i]?.[0]?.next ?? 0)]));
}

/** When each program has first gone beyond where it was. */
async function flowing(bed: Bed, before: ReadonlyMap<Name, number>, names: readonly Name[]): Promise<Map<Name, number>> {
  const end = performance.now() + LIMIT_MS;
  const found = new Map<Name, number>();
  while (found.size < names.length) {
    if (performance.now() > end)
      throw new Error(`${names.filter((name) => !found.has(name)).join(", ")}: nothing flows after ${LIMIT_MS} ms`);
    const now = await positions(bed);
    for (const name of names) if (!found.has(name) && now.get(name)! > before.get(name)!) found.set(name, performance.now());
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return found;
}

/** Orders at a steady rate; those that the broker does not take are dropped, and a new producer is made. */
async function steadyOrders(bed: Bed, options: RecoveryOptions): Promise<{ stop(): Promise<number> }> {
  const merchants = await createMerchants(bed.urlOf("merchant-api"), options.merchants);
  const encoder = await openOrderEncoder(connectRegistry(bed.stack.registryUrl));
  const stream = benchStream(merchants, { ...options, refunds: 0, duplicates: 0 });
  const kafka = createKafka({ brokers: bed.stack.kafkaBrokers.split(","), clientId: "bench" });
  const state = { stopped: false };
  let producer: OrderProducer | undefined;
  let sent = 0;
  const send = async () => {
    const events = Array.from({ length: Math.ceil((options.rate * TICK_MS) / 1_000) }, () => stream.next(Date.now()));
    try {
      producer ??= await openOrderProducer(kafka, topics.orders);
      await producer.send(events.map((event) => ({ key: keyOf(event), value: encoder.encode(event), timestamp: event.occurredAt })));
      sent += events.length;
    } catch {
      await producer?.close().catch(() => {});
      producer = undefined;
    }
  };
  const running = (async () => {
    while (!state.stopped) await Promise.all([send(), new Promise((resolve) => setTimeout(resolve, TICK_MS))]);
  })();
  return {
    async stop() {
      state.stopped = true;
      await running;
      await producer?.close();
      return sent;
    },
  };
}
