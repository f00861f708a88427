import { topics } from "@perkstream/contracts";
import { fromSet, type Sql, type Tx } from "@perkstream/postgres";
import { readProgress, withPartitions } from "@perkstream/program";
import { sharedAtOnce } from "../domain/index.ts";
import { programName } from "../notices.ts";

/* What changes a budget as a whole. All of it holds the locks of all progress rows: no chunk is under way, and allowances are taken back. */

/** A campaign with allowances that was found to run low, with the budget that it had then. */
export interface LowBudget {
  readonly campaign: number;
  readonly budgetMinor: bigint;
}

/** Makes budgets shared, in a transaction of its own. */
export async function shareBudgets(sql: Sql, budgets: readonly LowBudget[]): Promise<void> {
  const scope = { program: programName, topic: topics.orders };
  const partitions = (await readProgress(sql, scope)).map(({ partition }) => partition);
  await withPartitions(sql, { ...scope, partitions }, ({ tx }) => makeShared(tx, budgets));
}

/** Under the locks of all partitions. Leaves alone what somebody else made shared or edited since: the chunk looks again. */
export async function makeShared(tx: Tx, budgets: readonly LowBudget[]): Promise<void> {
  const set = fromSet(
    { campaign: "int4", budget: "int8" },
    budgets.map(({ campaign, budgetMinor }) => ({ campaign, budget: budgetMinor })),
  );
  const rows = await tx.unsafe<{ campaign: number }[]>(
    `SELECT b.campaign FROM ${set.text} AS r JOIN cashback.campaign_budget b USING (campaign, budget)
     WHERE NOT b.shared ORDER BY b.campaign FOR UPDATE OF b`,
    set.params,
    { prepare: true },
  );
  if (rows.length === 0) return;
  const campaigns = `{${rows.map(({ campaign }) => campaign).join(",")}}`;
  await tx.unsafe(
    `UPDATE cashback.campaign_budget b SET shared = true, used = b.used - coalesce(
       (SELECT sum(a.allowance - a.used)::int8 FROM cashback.budget_allowance a WHERE a.campaign = b.campaign), 0)
     WHERE b.campaign = ANY($1::int4[])`,
    [campaigns],
    { prepare: true },
  );
  await emptyAllowances(tx, campaigns);
  // Caches of campaigns know which budgets are shared, so a chunk learns of it by the revision that it compares anyway.
  await tx.unsafe(
    `UPDATE cashback.campaign_revision SET revision = revision + 1
     WHERE merchant IN (SELECT merchant FROM cashback.campaign WHERE campaign = ANY($1::int4[]))`,
    [campaigns],
    { prepare: true },
  );
}

export interface BudgetSetting {
  readonly campaign: number;
  /** Null: the campaign has none from now on. */
  readonly budgetMinor: bigint | null;
  readonly perOrderCapMinor: bigint | null;
}

/**
 * Sets a campaign's budget, under the locks of all `partitions` (how many). What is used comes from the sums, which are kept whether
 * there is a budget or not. A shared budget of which something is used stays shared.
 */
export async function setBudget(tx: Tx, { campaign, budgetMinor, perOrderCapMinor }: BudgetSetting, partitions: number): Promise<void> {
  await emptyAllowances(tx, `{${campaign}}`);
  if (budgetMinor === null) {
    await tx.unsafe(`UPDATE cashback.campaign_budget SET budget = NULL WHERE campaign = $1`, [campaign], { prepare: true });
    return;
  }
  const [before] = await tx.unsafe<{ used: bigint; shared: boolean | null }[]>(
    `SELECT (SELECT coalesce(sum(awarded - reversed), 0)::int8 FROM cashback.campaign_stat WHERE campaign = $1::int4) AS used,
       (SELECT shared FROM cashback.campaign_budget WHERE campaign = $1::int4) AS shared`,
    [campaign],
    { prepare: true },
  );
  const usedMinor = before?.used ?? 0n;
  const stays = before?.shared === true && usedMinor > 0n;
  const shared = stays || sharedAtOnce({ budgetMinor, leftMinor: budgetMinor - usedMinor, partitions }, perOrderCapMinor);
  await tx.unsafe(
    `INSERT INTO cashback.campaign_budget (campaign, budget, used, shared) VALUES ($1, $2, $3, $4)
     ON CONFLICT (campaign) DO UPDATE SET budget = excluded.budget, used = excluded.used, shared = excluded.shared`,
    [campaign, budgetMinor, usedMinor, shared],
    { prepare: true },
  );
}

/** What they held is the campaign's row's again. */
async function emptyAllowances(tx: Tx, campaigns: string): Promise<void> {
  await tx.unsafe(`UPDATE cashback.budget_allowance SET allowance = 0, used = 0 WHERE campaign = ANY($1::int4[])`, [campaigns], {
    prepare: true,
  });
}
