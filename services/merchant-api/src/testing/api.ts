import { randomUUID } from "node:crypto";
import { type OrderEvent, schemas } from "@perkstream/contracts";
import { openSql, type ServiceRole, type Sql } from "@perkstream/postgres";
import { testDatabase } from "@perkstream/postgres/testing";
import { createKafka } from "@perkstream/program";
import { ensureTopics } from "@perkstream/stack";
import { Registry } from "@perkstream/service";
import type { Kafka } from "kafkajs";
import { pino } from "pino";
import { createApp } from "../app.ts";
import { openTokens } from "../auth/tokens.ts";
import { migrations } from "../composition.ts";
import type { Deps } from "../deps.ts";
import { originRule } from "../http/cors.ts";
import { Gate, type GateLimits } from "../http/gate.ts";
import { limits } from "../http/limits.ts";
import { RateLimiter } from "../http/rate-limit.ts";
import { createPartitioner, openOrderLog, type OrderLog, type Position } from "../kafka/order-log.ts";
import { openRecords } from "../kafka/records.ts";
import { openMerchants } from "../merchants.ts";
import { prepareDatabase, role } from "../prepare.ts";
import { testSecret } from "./deps.ts";

export interface StackAddresses {
  readonly postgresUrl: string;
  readonly kafkaBrokers: string;
  readonly registryUrl: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; tests narrow it by their expectations. */
  readonly body: Record<string, unknown>;
}

/** An event as it was appended, with its place. */
export interface Appended extends Position {
  readonly event: OrderEvent;
  readonly timestamp: number;
}

export interface TestApi {
  readonly deps: Deps;
  /** With all rights; what the API itself uses (`deps.sql`) has those of its role. */
  readonly sql: Sql;
  /** A pool of a service beside the API. */
  pool(role: ServiceRole): Sql;
  readonly partitions: number;
  /** Everything that went to Kafka through this API, in order. */
  readonly appended: Appended[];
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** What a listener calls. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** A merchant of its own and `call` with its owner's token. */
  merchant(settings?: object): Promise<TestMerchant>;
  stop(): Promise<void>;
}

export interface TestMerchant {
  readonly merchantId: string;
  readonly apiKey: string;
  call: TestApi["call"];
  as(role: string): Promise<TestApi["call"]>;
  /** A merchant token of a role. */
  token(role: string): Promise<string>;
}

const bootstrapKey = "development";
const partitions = 3;

export interface ApiOptions {
  /** Another way to the broker. */
  readonly kafka?: Kafka;
  readonly gate?: GateLimits;
}

/** The API over the real stack with a database of its own; every answer is checked against its schema. */
export async function startApi(stack: StackAddresses, options: ApiOptions = {}): Promise<TestApi> {
  const database = await testDatabase(stack.postgresUrl, migrations);
  const { partitions: found } = await ensureTopics(stack.kafkaBrokers, { partitions, development: true });
  await registerSchemas(stack.registryUrl);
  await prepareDatabase(database.url, { partitions: found, development: true, clock: Date.now });
  const pools: Sql[] = [];
  const pool = (max: number, rights?: { role: ServiceRole }) => {
    const opened = openSql(database.url, { max, applicationName: "merchant-api-test", lockTimeoutMs: 20_000, ...rights });
    pools.push(opened);
    return opened;
  };
  const sql = pool(8, { role });
  const waitingSql = pool(2, { role });
  const editingSql = pool(1, { role });
  const log = pino({ level: process.env["LOG_LEVEL"] ?? "silent" });
  const records = await openRecords(stack.registryUrl);
  const kafka = options.kafka ?? createKafka({ brokers: stack.kafkaBrokers.split(","), clientId: "merchant-api-test", log });
  const appended: Appended[] = [];
  const orderLog = recording(await openOrderLog({ kafka, partitions: found, encode: (event) => records.orders.encode(event) }), appended);
  const merchants = openMerchants(sql, { clock: Date.now, log });
  const deps: Deps = {
    mode: "development",
    sql,
    waitingSql,
    editingSql,
    clock: Date.now,
    authenticator: {
      tokens: openTokens({ secret: testSecret, jwks: null }),
      bootstrapKey,
      findKey: merchants.findKey,
      findMerchant: merchants.find,
    },
    rateLimiter: new RateLimiter({ perSecond: 100_000, burst: 100_000 }),
    gate: new Gate(options.gate ?? { atOnce: limits.requestsAtOnce, answerMs: limits.answerMs }),
    orderLog,
    records,
    partitions: found,
    partitionOf: createPartitioner(found),
    notifierOrigin: "ws://127.0.0.1:8081",
    allowOrigin: originRule([], "development"),
    log,
    metrics: new Registry(),
    ready: () => Promise.resolve(null),
    commandsOpen: () => Promise.resolve(true),
    checkReplies: true,
  };
  const app = createApp(deps);
  const call: TestApi["call"] = async (method, path, body, headers = {}) => {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const init = { method, headers: { host: "localhost", ...json, ...headers } };
    const response = await app.request(
      path,
      body === undefined ? init : { ...init, body: typeof body === "string" ? body : JSON.stringify(body) },
    );
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as Record<string, unknown>) : { text } };
  };
  return {
    deps,
    sql: pool(2),
    pool: (of) => pool(4, { role: of }),
    partitions: found,
    appended,
    call,
    fetch: (request) => app.fetch(request),
    merchant: (settings) => makeMerchant(call, settings),
    async stop() {
      merchants.close();
      await orderLog.close();
      await Promise.all(pools.map((opened) => opened.end({ timeout: 5 })));
      await database.drop();
    },
  };
}

async function makeMerchant(call: TestApi["call"], settings: object = {}): Promise<TestMerchant> {
  const body = { name: `Shop ${randomUUID().slice(0, 8)}`, currency: "EUR", timeZone: "Europe/Berlin", clock: "manual", ...settings };
  const made = await call("POST", "/v1/merchants", body, { "x-api-key": bootstrapKey });
  const merchantId = String(made.body["merchantId"]);
  const token = async (role: string): Promise<string> => {
    const { body: signedIn } = await call("POST", "/v1/dev/sign-in", { merchantId, role, sub: `${role}-sub` });
    return String(signedIn["token"]);
  };
  const as = async (role: string): Promise<TestApi["call"]> => {
    const authorization = `Bearer ${await token(role)}`;
    return (method, path, sent, headers) => call(method, path, sent, { authorization, ...headers });
  };
  return { merchantId, apiKey: String(made.body["apiKey"]), call: await as("owner"), as, token };
}

function recording(orderLog: OrderLog, appended: Appended[]): OrderLog {
  return {
    ...orderLog,
    async append(events, timestamp) {
      const positions = await orderLog.append(events, timestamp);
      positions.forEach((position, i) => appended.push({ ...position, event: events[i]!, timestamp }));
      return positions;
    },
  };
}

async function registerSchemas(registryUrl: string): Promise<void> {
  const send = async (method: string, path: string, body: object) => {
    const response = await fetch(registryUrl + path, {
      method,
      headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
      body: JSON.stringify(body),
    });
    // 409: another test file says the same at this moment.
    if (!response.ok && response.status !== 409) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  };
  for (const { subject, schema } of schemas) {
    await send("PUT", `/config/${subject}`, { compatibility: "FULL_TRANSITIVE" });
    await send("POST", `/subjects/${subject}/versions`, { schema });
  }
}
