import { differingFields, type Where } from "@perkstream/verify";
import { programName } from "../notices.ts";
import type { StoredCampaign } from "../store/campaigns.ts";
import type { SumsContext } from "./sums.ts";

interface BudgetRow {
  readonly merchant: number;
  readonly campaign: number;
  readonly budget: bigint | null;
  readonly used: bigint;
  readonly shared: boolean;
}

interface AllowanceRow {
  readonly campaign: number;
  readonly part: number;
  readonly allowance: bigint;
  readonly used: bigint;
}

/**
 * The budgets of a group of merchants. What a budget left for an award is an input of the replay, so what is checked is that it was never
 * passed, and that what is counted as used is what the awards come to:
 *
 *   used of the campaign's row  =  awards less clawbacks  +  what allowances were handed and have not used
 */
export async function compareBudgets(context: SumsContext): Promise<void> {
  const { snapshot, group, campaigns, merchantId, report } = context;
  const ids = [`{${group.join(",")}}`];
  const rows = await snapshot.tx.unsafe<BudgetRow[]>(
    `SELECT c.merchant, b.* FROM cashback.campaign_budget b JOIN cashback.campaign c USING (campaign) WHERE c.merchant = ANY($1::int4[])`,
    ids,
  );
  const allowances = await snapshot.tx.unsafe<AllowanceRow[]>(
    `SELECT a.* FROM cashback.budget_allowance a JOIN cashback.campaign c USING (campaign) WHERE c.merchant = ANY($1::int4[]) ORDER BY a.part`,
    ids,
  );
  const rowOf = new Map(rows.map((row) => [row.campaign, row]));
  const allowancesOf = Map.groupBy(allowances, ({ campaign }) => campaign);
  for (const merchant of group) {
    for (const campaign of campaigns.get(merchant)?.byId.values() ?? []) {
      const where = { merchant: merchantId(merchant), campaign: campaign.campaignId };
      compareExceeded(context, campaign, where);
      compareRow(context, campaign, rowOf.get(campaign.campaign), allowancesOf.get(campaign.campaign) ?? [], where);
    }
  }
  report.checked("budgets", rows.length);
  report.checked("allowances", allowances.length);
}

/** A budget may be lowered below what is used; then nothing more is awarded. */
function compareExceeded({ expected, report }: SumsContext, { campaign, versions }: StoredCampaign, where: Where): void {
  const byVersion = expected.byVersion.get(campaign);
  if (byVersion === undefined) return;
  let used = 0n;
  for (const { campaign: version } of versions.toReversed()) {
    const before = used;
    used += byVersion.get(version.version) ?? 0n;
    const { budgetMinor } = version;
    if (budgetMinor === null || used <= budgetMinor || used <= before) continue;
    const found = { used, budget: budgetMinor };
    const expected = { usedAtMost: before > budgetMinor ? before : budgetMinor };
    report.difference({
      program: programName,
      thing: "budget",
      problem: "exceeded",
      where: { ...where, version: version.version },
      expected,
      found,
    });
  }
}

function compareRow(
  { expected, report }: SumsContext,
  { campaign, versions }: StoredCampaign,
  row: BudgetRow | undefined,
  allowances: readonly AllowanceRow[],
  where: Where,
): void {
  const budget = versions[0]?.campaign.budgetMinor ?? null;
  if (row === undefined) {
    if (budget !== null)
      report.difference({ program: programName, thing: "budget", problem: "missing", where, expected: { budget }, found: null });
    return;
  }
  let used = 0n;
  for (const amount of expected.byVersion.get(campaign)?.values() ?? []) used += amount;
  for (const one of allowances) {
    used += one.allowance - one.used;
    const place = { ...where, partition: one.part };
    if (one.used > one.allowance) {
      report.difference({
        program: programName,
        thing: "allowance",
        problem: "exceeded",
        where: place,
        expected: { usedAtMost: one.allowance },
        found: { used: one.used },
      });
    }
    if (row.shared && (one.allowance !== 0n || one.used !== 0n)) {
      const found = { allowance: one.allowance, used: one.used };
      report.difference({
        program: programName,
        thing: "allowance",
        problem: "unexpected",
        where: place,
        expected: null,
        found,
        note: "the budget is shared",
      });
    }
  }
  // Without a budget nothing is counted; the next budget begins with what the awards come to.
  const differing = differingFields({ budget, used: budget === null ? row.used : used }, { budget: row.budget, used: row.used });
  if (differing !== null) report.difference({ program: programName, thing: "budget", problem: "changed", where, ...differing });
}
