import { createMerchant } from "@perkstream/merchant";
import { migrate, openSql } from "@perkstream/postgres";
import { deadLetterTopic, ensureProgress } from "@perkstream/program";
import { ensureTopics, type Stack } from "@perkstream/stack";
import { registerSchemas } from "../schemas/register.ts";
import type { ServiceEntry } from "./services.ts";
import type { StartSettings } from "./settings.ts";

/** The merchant that every local stack has, so that a first request needs nothing before it. */
const defaultMerchant = {
  merchantId: "4f981b0b-accf-4eb7-8018-7cd651c7e907",
  name: "Demo shop",
  currency: "USD",
  timeZone: "UTC",
} as const;

/** Makes what is missing of tables, topics, schemas, progress rows and the default merchant; safe to repeat. `report` tells each step once it is done. */
export async function prepare(
  services: readonly ServiceEntry[],
  settings: StartSettings,
  stack: Stack,
  report: (step: string) => void,
): Promise<void> {
  const [, { partitions }] = await Promise.all([
    migrate(
      stack.postgresUrl,
      services.map((service) => service.migrations),
    ),
    ensureTopics(stack.kafkaBrokers, {
      partitions: settings.partitions,
      development: settings.isDevelopment,
      others: services.flatMap(({ program }) => (program === undefined ? [] : deadLetterTopic(program.program))),
    }),
    registerSchemas({ registryUrl: stack.registryUrl, postgresUrl: stack.postgresUrl }),
  ]);
  report(`tables, topics (${partitions} partitions) and schemas`);
  const sql = openSql(stack.postgresUrl, { max: 1, applicationName: "perkstream-start" });
  try {
    for (const { program } of services) if (program !== undefined) await ensureProgress(sql, program, partitions);
    if (settings.isDevelopment) await sql.begin((tx) => createMerchant(tx, defaultMerchant, { actor: "system", at: Date.now() }));
  } finally {
    await sql.end();
  }
}
