import type { Sql, Tx } from "@perkstream/postgres";
import type { CampaignView } from "../commands/campaigns.ts";
import type { CampaignDefinition } from "../definition.ts";

/** One campaign as it is stored now. `merchant` is the surrogate id. */
export async function findCampaign(sql: Sql | Tx, merchant: number, campaignId: string): Promise<CampaignView | undefined> {
  const rows = await sql.unsafe<{ version: number; definition: CampaignDefinition }[]>(
    `SELECT v.version, v.definition FROM cashback.campaign c JOIN cashback.campaign_version v USING (campaign, version) WHERE c.merchant = $1 AND c.campaign_id = $2`,
    [merchant, campaignId],
    { prepare: true },
  );
  return rows[0];
}

/** Campaigns by id (byte order), those after `after`. */
export async function listCampaigns(
  sql: Sql | Tx,
  merchant: number,
  page: { readonly limit: number; readonly after?: string | undefined },
): Promise<CampaignView[]> {
  return sql.unsafe(
    `SELECT v.version, v.definition FROM cashback.campaign c JOIN cashback.campaign_version v USING (campaign, version)
     WHERE c.merchant = $1 AND c.campaign_id COLLATE "C" > $2 ORDER BY c.campaign_id COLLATE "C" LIMIT $3`,
    [merchant, page.after ?? "", page.limit],
    { prepare: true },
  );
}

export interface CampaignStats {
  readonly campaignId: string;
  readonly awardedMinor: number;
  readonly reversedMinor: number;
  readonly usedMinor: number;
  readonly redeemedMinor: number;
  readonly budgetLeftMinor: number | null;
  readonly customers: number;
}

/** Sums over all partitions; undefined for an unknown campaign. */
export async function campaignStats(sql: Sql | Tx, merchant: number, campaignId: string): Promise<CampaignStats | undefined> {
  const rows = await sql.unsafe<{ awarded: string; reversed: string; redeemed: string; customers: string; budget: bigint | null }[]>(
    `SELECT coalesce(sum(s.awarded), 0) AS awarded, coalesce(sum(s.reversed), 0) AS reversed, coalesce(sum(s.redeemed), 0) AS redeemed,
       coalesce(sum(s.customers), 0) AS customers, (v.definition->>'budgetMinor')::int8 AS budget
     FROM cashback.campaign c JOIN cashback.campaign_version v USING (campaign, version) LEFT JOIN cashback.campaign_stat s USING (campaign)
     WHERE c.merchant = $1 AND c.campaign_id = $2 GROUP BY c.campaign, v.definition`,
    [merchant, campaignId],
    { prepare: true },
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const usedMinor = Number(row.awarded) - Number(row.reversed);
  return {
    campaignId,
    awardedMinor: Number(row.awarded),
    reversedMinor: Number(row.reversed),
    usedMinor,
    redeemedMinor: Number(row.redeemed),
    budgetLeftMinor: row.budget === null ? null : Math.max(0, Number(row.budget) - usedMinor),
    customers: Number(row.customers),
  };
}
