import { topics } from "@perkstream/contracts";
import * as cashback from "@perkstream/cashback";
import * as inbox from "@perkstream/inbox";
import * as merchant from "@perkstream/merchant";
import { migrate, openSql } from "@perkstream/postgres";
import { ensureProgress } from "@perkstream/program";
import * as tier from "@perkstream/tier";
import { devMerchantId } from "./dev-merchant.ts";
import { programs, scopeOf } from "./programs.ts";

export const allMigrations = [merchant.migrations, tier.migrations, cashback.migrations, inbox.migrations];

/**
 * Migrates, makes the progress rows of every partition (a merchant exists for both programs from its creation on, so its
 * rules need them), and in development the merchant that is always there. Everything may run again and by several at once.
 */
export async function prepareDatabase(
  url: string,
  options: { readonly partitions: number; readonly development: boolean; readonly clock: () => number },
): Promise<void> {
  await migrate(url, allMigrations);
  const sql = openSql(url, { max: 1, applicationName: "merchant-api-prepare" });
  try {
    for (const program of programs) await ensureProgress(sql, scopeOf(program), options.partitions);
    await ensureProgress(sql, { program: inbox.inboxName, topic: topics.notifications }, options.partitions);
    if (!options.development) return;
    const settings = { merchantId: devMerchantId, name: "Demo Shop", currency: "USD", timeZone: "UTC" };
    await sql.begin((tx) => merchant.createMerchant(tx, settings, { actor: "system", at: options.clock() }));
  } finally {
    await sql.end({ timeout: 5 });
  }
}
