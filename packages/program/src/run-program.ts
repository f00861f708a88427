import { randomUUID } from "node:crypto";
import { migrate, openSql, type Migrations, type ServiceRole, type Sql } from "@perkstream/postgres";
import { commonEnvironment, port, runService, serveHealth, type ServiceContext } from "@perkstream/service";
import { z } from "zod";
import { crashEnvironment, crashPointOf } from "./crash.ts";
import { deadLetterTopic } from "./dead-letter-publisher.ts";
import { startProgram } from "./host.ts";
import { kafkaSettings } from "./kafka-environment.ts";
import { createKafka } from "./kafkajs.ts";
import { partitionsOf } from "./partitions.ts";
import type { Program } from "./program.ts";
import { ensureProgress } from "./progress.ts";
import { defaultSettings } from "./settings.ts";

/** What every process of a program reads, besides its own port. */
const hostEnvironment = commonEnvironment.extend({
  PERKS_CHUNK_SIZE: z.coerce.number().int().min(1).max(10_000).default(defaultSettings.chunkSize),
  PERKS_LANES: z.coerce.number().int().min(1).max(16).default(defaultSettings.lanes),
  PERKS_SWEEP_INTERVAL_MS: z.coerce.number().int().min(50).default(defaultSettings.sweepIntervalMs),
  PERKS_DEAD_LETTER_DEFECTS: z.stringbool().default(defaultSettings.deadLetterDefects),
  ...crashEnvironment,
});

export type HostEnvironment = z.infer<typeof hostEnvironment>;

export interface ProgramService<E, W> {
  readonly name: string;
  /** The variable of its health port, and the port without it. */
  readonly port: { readonly variable: string; readonly fallback: number };
  /** Those of the program and of what it reads; applied at start. */
  readonly migrations: readonly Migrations[];
  /** Under which it works with the database; its rights are declared with the migrations. */
  readonly role: ServiceRole;
  readonly noticeTopic: string;
  /** The topic that the program reads. */
  readonly topic: string;
  /** Makes the program; `sql` is for what it reads outside of transactions, `partitions` are those of its topic. */
  readonly create: (parts: {
    readonly env: HostEnvironment;
    readonly sql: Sql;
    readonly partitions: number;
  }) => Promise<Program<E, W>> | Program<E, W>;
}

/**
 * The process of a program: environment, migrations, progress rows, host, health. `main.ts` of a program's service calls
 * this and nothing else. `--accept-gap` lets partitions go on whose stored offset the log no longer holds.
 */
export function runProgram<E, W>(service: ProgramService<E, W>): Promise<void> {
  const environment = hostEnvironment.extend({ [service.port.variable]: port(service.port.fallback) });
  return runService({
    name: service.name,
    environment,
    start: async (context) => start(service, context as ServiceContext<HostEnvironment & Record<string, unknown>>),
  });
}

async function start<E, W>(
  service: ProgramService<E, W>,
  { env, log, metrics, onStop }: ServiceContext<HostEnvironment & Record<string, unknown>>,
): Promise<void> {
  const { role } = service;
  await migrate(env.DATABASE_URL, service.migrations, role);
  const lanes = env.PERKS_LANES;
  const crash = crashPointOf(env);
  const onStatement = crash && (() => crash("statement"));
  const sql = openSql(env.DATABASE_URL, { max: lanes + 4, applicationName: service.name, role, byIndex: true, onStatement });
  onStop("close the database pool", () => sql.end({ timeout: 5 }));
  const kafka = createKafka({ ...kafkaSettings(env), clientId: `${service.name}-${randomUUID()}`, log });
  const partitions = await partitionsOf(kafka, [service.topic]);
  const program = await service.create({ env, sql, partitions });
  if (program.topic !== service.topic) throw new Error(`${service.name} reads ${program.topic}, not ${service.topic}`);
  await ensureProgress(sql, { program: program.name, topic: program.topic }, partitions);
  const running = startProgram({
    program,
    sql,
    kafka,
    noticeTopic: service.noticeTopic,
    deadLetterTopic: deadLetterTopic(program.name),
    log,
    metrics,
    settings: {
      lanes,
      chunkSize: env.PERKS_CHUNK_SIZE,
      maxBuffered: 2 * env.PERKS_CHUNK_SIZE,
      sweepIntervalMs: env.PERKS_SWEEP_INTERVAL_MS,
      deadLetterDefects: env.PERKS_DEAD_LETTER_DEFECTS,
      acceptGap: process.argv.includes("--accept-gap"),
    },
    ...(crash === undefined ? {} : { crash }),
  });
  onStop("stop the program", () => running.stop());
  const health = await serveHealth({
    host: env.PERKS_MODE === "development" ? "127.0.0.1" : "0.0.0.0",
    port: Number(env[service.port.variable]),
    ready: () => (running.ready ? null : "partitions are not taken over yet"),
    metrics,
  });
  onStop("close the health port", () => health.close());
}
