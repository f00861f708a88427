import { topics, type Registry as SchemaRegistry, openJsonDecoder } from "@perkstream/contracts";
import { inboxPositions, inboxProgress, inboxState, notificationsBetween, unreadNotifications } from "@perkstream/inbox";
import type { Sql } from "@perkstream/postgres";
import { kafkajs, partitionsOf } from "@perkstream/program";
import type { Registry } from "@perkstream/service";
import type { Log } from "./log.ts";
import type { Kafka } from "kafkajs";
import { randomUUID } from "node:crypto";
import { AckWriter } from "./ack-writer.ts";
import type { Client } from "./client.ts";
import { Cluster } from "./cluster/cluster.ts";
import { admin, type Presence } from "./http/admin.ts";
import type { Answer, Request } from "./http/answer.ts";
import { pageFiles, type PageConfig } from "./http/page.ts";
import { health, Server } from "./http/server.ts";
import { Hub } from "./hub.ts";
import type { InboxReader } from "./hand-over.ts";
import { InboxWatch } from "./inbox-watch.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { LiveReader } from "./live/reader.ts";
import { notifierMetrics } from "./metrics.ts";
import { createOnlineMap } from "./online.ts";
import { originRule } from "./origins.ts";
import type { Tokens } from "./tokens.ts";

export interface NotifierOptions {
  /** A pool of the notifier's own. */
  readonly sql: Sql;
  readonly kafka: Kafka;
  readonly registry: SchemaRegistry;
  readonly tokens: Tokens;
  readonly log: Log;
  readonly metrics: Registry;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly development: boolean;
  readonly allowedOrigins: readonly string[];
  readonly limits?: Partial<Limits>;
  /** Spreads the closing of sockets at a stop. Default 3 s. */
  readonly drainMs?: number;
  /** The customer page, in development. */
  readonly page?: PageConfig & { readonly folder: string };
  /** Others than the product's own, for tests that share a broker. */
  readonly topics?: { readonly orders: string; readonly notifications: string };
  /** Why this process is not ready, besides the notifier itself. */
  readonly notReady?: () => string | null;
}

export interface Notifier {
  readonly port: number;
  /** Readiness off, bye and close in slices, acknowledgements, live reader, listener. */
  stop(): Promise<void>;
}

const tickMs = 200;

/** Starts the notifier; resolves when it takes connections. The inbox and the schema `notifier` must be migrated, the inbox must have its progress rows. */
export async function startNotifier(options: NotifierOptions): Promise<Notifier> {
  const { sql, kafka, tokens, log, drainMs = 3_000 } = options;
  const names = options.topics ?? topics;
  const limits = { ...defaultLimits, ...options.limits };
  const metrics = notifierMetrics(options.metrics);
  const decoder = openJsonDecoder(options.registry);
  const partitions = await partitionsOf(kafka, [names.orders, names.notifications]);
  const watch = new InboxWatch(() => inboxProgress(sql, names.notifications));
  const acks = new AckWriter(sql, log);
  const live: LiveReader = new LiveReader({
    kafka,
    topic: names.notifications,
    groupId: `perkstream.notifier.${randomUUID()}`,
    log,
    positions: () => inboxPositions(sql, names.notifications),
    prepare: (values) => decoder.prepare(values),
    onRecord: (partition, offset, key, value) => hub.deliver(partition, offset, key, value),
    onLost: (partition) => hub.lost(partition),
  });
  const hub: Hub = new Hub({
    limits,
    tokens,
    online: createOnlineMap<Client>(),
    inbox: inboxReader(sql, watch),
    live: {
      next: (partition) => live.positions.next(partition),
      passed: (partition, offset, timeoutMs) => live.positions.passed(partition, offset, timeoutMs),
      end: (partition) => live.end(partition),
    },
    decoder,
    partitionOf: partitioner(partitions),
    acknowledge: (ack) => acks.submit(ack),
    onWelcome: (row) => cluster.joined(row),
    onGone: (session) => cluster.left(session),
    metrics,
    log,
  });
  const cluster = new Cluster(sql, hub, limits.devices, log);
  let stopping = false;
  const notReady = () => (stopping ? "stopping" : (live.problem() ?? options.notReady?.() ?? null));
  const server = new Server({
    host: options.host,
    port: options.port,
    loopbackOnly: options.development,
    hub,
    limits,
    tokens,
    originAllowed: originRule(options.allowedOrigins, options.development),
    answer: answers(options, cluster, notReady),
    metrics,
    log,
  });

  await cluster.start();
  await acks.start((ack) => hub.read(ack));
  await live.start();
  await server.listen();
  const ticking = setInterval(() => {
    // After what has come in was read: a process that stood still must not take its clients for silent.
    setImmediate(() => hub.tick());
    metrics.fetchAge.set(live.sinceFetchMs / 1_000);
  }, tickMs);
  log.info({ port: server.port, partitions }, "notifier listens");

  return {
    port: server.port,
    async stop() {
      stopping = true;
      server.refuseUpgrades();
      await hub.drain(drainMs);
      clearInterval(ticking);
      await acks.stop();
      await cluster.stop();
      watch.stop();
      await live.stop();
      await server.close();
    },
  };
}

function inboxReader(sql: Sql, watch: InboxWatch): InboxReader {
  return {
    reached: (partition, next, timeoutMs) => watch.reached(partition, next, timeoutMs),
    state: (customer, partition) => inboxState(sql, customer, partition),
    between: (customer, range) => notificationsBetween(sql, customer, range),
    unread: (customer, range) => unreadNotifications(sql, customer, range),
  };
}

function answers(
  options: NotifierOptions,
  presence: Presence,
  notReady: () => string | null,
): (request: Request) => Promise<Answer | null> {
  const page =
    options.page === undefined
      ? null
      : pageFiles(options.page.folder, { merchantApi: options.page.merchantApi, merchantId: options.page.merchantId });
  return async (request) => {
    const { method, path } = request;
    if (method === "get" || method === "head") {
      if (path === "/healthz") return health.ok;
      if (path === "/readyz") {
        const reason = notReady();
        return reason === null ? health.ready : health.notReady(reason);
      }
      if (path === "/metrics") return { status: 200, body: await options.metrics.metrics(), type: options.metrics.contentType };
      const file = await page?.(path);
      if (file) return file;
    }
    return admin(request, options.tokens, presence);
  };
}

/** murmur2 of the key, as in Kafka's Java client. */
function partitioner(partitions: number): (key: string) => number {
  const choose = kafkajs.Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  return (key) => choose({ topic: topics.notifications, partitionMetadata, message: { key: Buffer.from(key), value: null } });
}
