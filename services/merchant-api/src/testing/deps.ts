import type { ApiKeyHolder, Merchant } from "@perkstream/merchant";
import { fixedRegistry, type OrderEvent } from "@perkstream/contracts";
import { openSql } from "@perkstream/postgres";
import { Registry } from "@perkstream/service";
import { pino } from "pino";
import { openTokens } from "../auth/tokens.ts";
import type { Deps } from "../deps.ts";
import { originRule } from "../http/cors.ts";
import { Gate } from "../http/gate.ts";
import { limits } from "../http/limits.ts";
import { RateLimiter } from "../http/rate-limit.ts";
import type { OrderLog } from "../kafka/order-log.ts";
import { recordsOf } from "../kafka/records.ts";

export const testSecret = "0123456789abcdef0123456789abcdef";
export const testMerchantId = "4f981b0b-accf-4eb7-8018-7cd651c7e907";

const testMerchant: Merchant = {
  id: 1,
  merchantId: testMerchantId,
  name: "Test",
  clock: "real",
  revision: "1",
  versions: [
    {
      version: 1,
      currency: "USD",
      timeZone: "UTC",
      clawbackPolicy: "allow_negative",
      expiringNoticeDays: 0,
      sharedFrom: [],
      cashbackFrom: [],
    },
  ],
};

/** A log in memory: an edge, so that unit tests need no broker. */
export interface MemoryLog extends OrderLog {
  readonly appended: { event: OrderEvent; timestamp: number }[];
}

function memoryLog(): MemoryLog {
  const appended: MemoryLog["appended"] = [];
  return {
    appended,
    append: (events, timestamp) =>
      Promise.resolve(events.map((event) => ({ partition: 0, offset: appended.push({ event, timestamp }) - 1 }))),
    ends: () => Promise.resolve(new Map([[0, appended.length]])),
    close: () => Promise.resolve(),
  };
}

/** Dependencies for tests of the pipeline: a database address that nobody answers, keys from a map. */
export async function testDeps(changes: Partial<Deps> & { keys?: ReadonlyMap<string, ApiKeyHolder> } = {}): Promise<Deps> {
  const { keys, ...rest } = changes;
  const mode = rest.mode ?? "development";
  const nowhere = openSql("postgres://nobody@127.0.0.1:1/none", { max: 1, applicationName: "test" });
  return {
    mode,
    sql: nowhere,
    waitingSql: nowhere,
    editingSql: nowhere,
    clock: () => Date.now(),
    authenticator: {
      tokens: openTokens({ secret: testSecret, jwks: null }),
      bootstrapKey: "bootstrap-key",
      findKey: (key) => Promise.resolve(keys?.get(key) ?? null),
      findMerchant: (merchantId) => Promise.resolve(merchantId === testMerchantId ? testMerchant : null),
    },
    rateLimiter: new RateLimiter({ perSecond: 1_000, burst: 1_000 }),
    gate: new Gate({ atOnce: limits.requestsAtOnce, answerMs: limits.answerMs }),
    orderLog: memoryLog(),
    records: await recordsOf(fixedRegistry()),
    partitionOf: () => 0,
    partitions: 1,
    notifierOrigin: "ws://127.0.0.1:8081",
    allowOrigin: originRule(["https://shop.example"], mode),
    log: pino({ level: "silent" }),
    metrics: new Registry(),
    ready: () => Promise.resolve(null),
    commandsOpen: () => Promise.resolve(true),
    checkReplies: true,
    ...rest,
  };
}
