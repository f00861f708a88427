import { randomUUID } from "node:crypto";
import { topics } from "@perkstream/contracts";
import { crashPointOf, createKafka, kafkaSettings, partitionsOf } from "@perkstream/program";
import { openSql } from "@perkstream/postgres";
import { runService } from "@perkstream/service";
import { createApp } from "./app.ts";
import { openCommandGate } from "./command-gate.ts";
import { bootstrapKeyOf, environment, jwksOf, notifierOriginOf } from "./environment.ts";
import { openMerchants } from "./merchants.ts";
import { createPartitioner, openOrderLog } from "./kafka/order-log.ts";
import { openRecords } from "./kafka/records.ts";
import { openTokens } from "./auth/tokens.ts";
import { originRule } from "./http/cors.ts";
import { Gate } from "./http/gate.ts";
import { limits } from "./http/limits.ts";
import { rateLimits, RateLimiter } from "./http/rate-limit.ts";
import { createApiServer } from "./http/server.ts";
import { prepareDatabase, role } from "./prepare.ts";
import { readiness } from "./readiness.ts";

const MAX_CONNECTIONS = 16;
const MAX_WAITING_CONNECTIONS = 8;

await runService({
  name: "merchant-api",
  environment,
  async start({ env, log, metrics, onStop, fail }) {
    const crash = crashPointOf(env);
    const development = env.PERKS_MODE === "development";
    const kafka = createKafka({ ...kafkaSettings(env), clientId: `merchant-api-${randomUUID()}`, log });
    const partitions = await partitionsOf(kafka, [topics.orders, topics.notifications]);
    await prepareDatabase(env.DATABASE_URL, { partitions, development, clock: Date.now });

    const sql = openSql(env.DATABASE_URL, { max: MAX_CONNECTIONS, applicationName: "merchant-api", role });
    const waitingSql = openSql(env.DATABASE_URL, { max: MAX_WAITING_CONNECTIONS, applicationName: "merchant-api-waiting", role });
    const editingSql = openSql(env.DATABASE_URL, { max: 1, applicationName: "merchant-api-editing", role });
    const pools = [sql, waitingSql, editingSql];
    onStop("close the database pools", async () => void (await Promise.all(pools.map((pool) => pool.end({ timeout: 5 })))));
    const records = await openRecords(env.SCHEMA_REGISTRY_URL);
    const orderLog = await openOrderLog({ kafka, partitions, encode: (event) => records.orders.encode(event), crash });
    onStop("close Kafka", () => orderLog.close());
    const merchants = openMerchants(sql, { clock: Date.now, log });
    onStop("stop cleaning", () => merchants.close());

    const app = createApp({
      mode: env.PERKS_MODE,
      sql,
      waitingSql,
      editingSql,
      clock: Date.now,
      authenticator: {
        tokens: openTokens({ secret: env.PERKS_JWT_SECRET, jwks: jwksOf(env) }),
        bootstrapKey: bootstrapKeyOf(env),
        findKey: merchants.findKey,
        findMerchant: merchants.find,
      },
      rateLimiter: new RateLimiter(rateLimits[env.PERKS_MODE]),
      gate: new Gate({ atOnce: limits.requestsAtOnce, answerMs: limits.answerMs }),
      orderLog,
      records,
      partitions,
      partitionOf: createPartitioner(partitions),
      notifierOrigin: notifierOriginOf(env),
      allowOrigin: originRule(env.PERKS_ALLOWED_ORIGINS, env.PERKS_MODE),
      log,
      metrics,
      ready: readiness(sql, orderLog),
      ...(crash === undefined ? {} : { crash }),
      commandsOpen: await openCommandGate(sql, orderLog),
    });
    const server = createApiServer((request) => app.fetch(request));
    server.once("error", fail);
    onStop("close the listener", () => new Promise<void>((resolve) => void server.close(() => resolve())));
    await new Promise<void>((resolve) => {
      server.listen({ port: env.MERCHANT_API_PORT, ...(development ? { host: "127.0.0.1" } : {}) }, resolve);
    });
    log.info({ port: env.MERCHANT_API_PORT, partitions }, "listening");
  },
});
