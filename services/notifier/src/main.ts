import { connectRegistry, openJsonDecoder, topics } from "@perkstream/contracts";
import { createInboxProgram, inboxName, inboxTopic, migrations as inboxMigrations } from "@perkstream/inbox";
import { migrate, openSql } from "@perkstream/postgres";
import {
  crashPointOf,
  createKafka,
  deadLetterTopic,
  ensureProgress,
  kafkaSettings,
  startProgram,
  type RunningProgram,
  partitionsOf,
} from "@perkstream/program";
import { runService } from "@perkstream/service";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { migrations } from "./cluster/migrations.ts";
import { role } from "./cluster/rights.ts";
import { environment, limitsOf, stopDeadlineMs, tokenSettingsOf } from "./environment.ts";
import { startNotifier } from "./notifier.ts";
import { openTokens } from "./tokens.ts";

/** Made at the start of the local stack. */
const demoMerchantId = "4f981b0b-accf-4eb7-8018-7cd651c7e907";
const dayMs = 86_400_000;
const inboxLanes = 1;
/** Nobody waits for the inbox but a hand-over. */
const inboxPaceMs = 30;

await runService({
  name: "notifier",
  environment,
  stopDeadlineMs,
  async start({ env, log, metrics, onStop }) {
    const crash = crashPointOf(env);
    const development = env.PERKS_MODE === "development";
    const kafka = createKafka({ ...kafkaSettings(env), clientId: `notifier-${randomUUID()}`, log });
    const partitions = await partitionsOf(kafka, [topics.orders, topics.notifications]);
    await migrate(env.DATABASE_URL, [inboxMigrations, migrations], role);
    const sql = openSql(env.DATABASE_URL, { max: 8, applicationName: "notifier", role });
    onStop("close the database pool", () => sql.end({ timeout: 5 }));
    await ensureProgress(sql, { program: inboxName, topic: inboxTopic }, partitions);
    const registry = connectRegistry(env.SCHEMA_REGISTRY_URL);

    let inbox: RunningProgram | null = null;
    if (env.PERKS_RUN_INBOX) {
      const onStatement = crash && (() => crash("statement"));
      const pool = openSql(env.DATABASE_URL, { max: inboxLanes + 3, applicationName: "inbox", role, byIndex: true, onStatement });
      onStop("close the inbox's database pool", () => pool.end({ timeout: 5 }));
      const program = createInboxProgram({
        reader: openJsonDecoder(registry),
        now: Date.now,
        retentionMs: env.PERKS_RETENTION_DAYS * dayMs,
      });
      const running = startProgram({
        program,
        sql: pool,
        kafka,
        noticeTopic: topics.notifications,
        deadLetterTopic: deadLetterTopic(inboxName),
        log,
        metrics,
        ...(crash === undefined ? {} : { crash }),
        settings: { lanes: inboxLanes, fetchPaceMs: inboxPaceMs, acceptGap: process.argv.includes("--accept-gap") },
      });
      onStop("stop the inbox", () => running.stop());
      inbox = running;
    }

    const notifier = await startNotifier({
      sql,
      kafka,
      registry,
      tokens: openTokens(tokenSettingsOf(env)),
      log,
      metrics,
      host: development ? "127.0.0.1" : "0.0.0.0",
      port: env.NOTIFIER_PORT,
      development,
      allowedOrigins: env.PERKS_ALLOWED_ORIGINS,
      limits: limitsOf(env),
      drainMs: env.PERKS_DRAIN_SECONDS * 1_000,
      notReady: () => (inbox === null || inbox.ready ? null : "the inbox has not taken its partitions over"),
      ...(development
        ? {
            page: {
              folder: fileURLToPath(new URL("../page", import.meta.url)),
              merchantApi: env.MERCHANT_API_URL ?? `http://127.0.0.1:${env.MERCHANT_API_PORT}`,
              merchantId: demoMerchantId,
            },
          }
        : {}),
    });
    onStop("drain and close the sockets", () => notifier.stop());
  },
});
