import type { Merchant } from "@perkstream/merchant";
import type { Sql } from "@perkstream/postgres";
import { pendingEdits } from "@perkstream/tier";

/** Whether every customer was evaluated after the last ladder edit: null when all were, else what is behind. */
export async function behindLadder(sql: Sql, merchant: Merchant): Promise<string | null> {
  const pending = await pendingEdits(sql, merchant);
  return pending.length === 0 ? null : `the ladder edit is not applied to all customers of partition ${pending.join(", ")}`;
}
