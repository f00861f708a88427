import { topics } from "@perkstream/contracts";
import { inboxName } from "@perkstream/inbox";
import { createMerchant } from "@perkstream/merchant";
import { migrate, openSql, type ServiceRole } from "@perkstream/postgres";
import { ensureProgress } from "@perkstream/program";
import { migrations, programs } from "./composition.ts";
import { devMerchantId } from "./dev-merchant.ts";
import { scopeOf } from "./programs.ts";

/** Under which the API works with the database; each package declares what it may do with its schema. */
export const role: ServiceRole = "perkstream_api";

/**
 * Migrates, makes the progress rows of every partition (a merchant exists for all programs from its creation on, so its
 * rules need them), and in development the merchant that is always there. Everything may run again and by several at once.
 */
export async function prepareDatabase(
  url: string,
  options: { readonly partitions: number; readonly development: boolean; readonly clock: () => number },
): Promise<void> {
  await migrate(url, migrations, role);
  const sql = openSql(url, { max: 1, applicationName: "merchant-api-prepare", role });
  try {
    for (const program of programs) await ensureProgress(sql, scopeOf(program), options.partitions);
    await ensureProgress(sql, { program: inboxName, topic: topics.notifications }, options.partitions);
    if (!options.development) return;
    const settings = { merchantId: devMerchantId, name: "Demo Shop", currency: "USD", timeZone: "UTC" };
    await sql.begin((tx) => createMerchant(tx, settings, { actor: "system", at: options.clock() }));
  } finally {
    await sql.end({ timeout: 5 });
  }
}
