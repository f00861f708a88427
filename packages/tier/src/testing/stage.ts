import { fixedRegistry, openOrderDecoder, openOrderEncoder } from "@perkstream/contracts";
import { migrations as merchantMigrations } from "@perkstream/merchant";
import { openSql, type Sql } from "@perkstream/postgres";
import { testDatabase } from "@perkstream/postgres/testing";
import { createDriver, type Driver } from "@perkstream/program";
import { migrations } from "../migrations.ts";
import { createTierProgram } from "../program.ts";
import type { Stage } from "./driver-player.ts";
import { noticeCodec } from "./memory-player.ts";

export interface OpenStage extends Stage {
  /** Starts the program anew: nothing cached, a new epoch. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** A database of its own with the tier program on it. */
export async function openStage(adminUrl: string, partitions = 1): Promise<OpenStage> {
  const database = await testDatabase(adminUrl, [merchantMigrations, migrations]);
  const sql: Sql = openSql(database.url, { max: 3, applicationName: "tier-test" });
  const registry = fixedRegistry();
  const codec = await noticeCodec();
  const own = openSql(database.url, { max: 3, applicationName: "tier-test", role: "perkstream_tier" });
  const start = () => createDriver(createTierProgram({ decoder: openOrderDecoder(registry), encoder: codec.encoder }), own, partitions);
  const drivers: Driver[] = [await start()];
  return {
    sql,
    codec,
    orderEncoder: await openOrderEncoder(registry),
    get driver() {
      return drivers.at(-1)!;
    },
    notices: () => drivers.flatMap(({ notices }) => notices),
    deadLetters: () => drivers.flatMap(({ deadLetters }) => deadLetters),
    restart: async () => void drivers.push(await start()),
    close: async () => {
      await Promise.all([sql.end(), own.end()]);
      await database.drop();
    },
  };
}
