import type { ChunkContext } from "@perkstream/program";
import { insertSet } from "@perkstream/postgres";
import { type CampaignDefinition, campaignOf } from "../definition.ts";
import { setBudget } from "../store/budget-edits.ts";
import { capPeriodsOf } from "../store/campaigns.ts";

/** A campaign as it is stored now. */
export interface CampaignView {
  readonly version: number;
  readonly definition: CampaignDefinition;
}

export type CampaignRefusal = "id_taken" | "not_found" | "stale_version" | "invalid_transition" | "not_draft";

/** A change: what is absent stays. */
export type CampaignPatch = { readonly [K in keyof Omit<CampaignDefinition, "id">]?: CampaignDefinition[K] | undefined };

export interface Editor {
  /** Surrogate id. */
  readonly merchant: number;
  readonly actor: string;
  /** The request's clock, ms. */
  readonly at: number;
}

/*
 * Every edit runs inside `inPartitions` / `withPartitions` over ALL partitions of the cashback program: it holds from the next offset of
 * each, and no chunk is under way.
 *
 *   draft ──► active ◄──► paused
 *     │          │  ▲       │          any status but draft can be set from any other;
 *     └─ delete  └─►ended◄──┘          only a draft can be deleted
 */

/** Makes version 1. Defaults must have been filled in. */
export async function createCampaign(
  context: ChunkContext,
  { merchant, actor, at }: Editor,
  definition: CampaignDefinition,
): Promise<CampaignView | CampaignRefusal> {
  const periods = capPeriodsOf(definition);
  const rows = await insertSet(
    context.tx,
    "cashback.campaign",
    {
      merchant: "int4",
      campaign_id: "text",
      version: "int4",
      cap_periods: "int2",
      cap_periods_from_start: "int2",
      created_at: "timestamptz",
    },
    [{ merchant, campaign_id: definition.id, version: 1, cap_periods: periods, cap_periods_from_start: periods, created_at: at }],
    "ON CONFLICT (merchant, campaign_id) DO NOTHING RETURNING campaign",
  );
  const campaign = rows[0]?.["campaign"];
  if (campaign === undefined) return "id_taken";
  await storeVersion(context, { merchant, actor, at }, Number(campaign), 1, definition);
  return { version: 1, definition };
}

/** Makes the next version. `ifVersion` null takes any. */
export async function changeCampaign(
  context: ChunkContext,
  editor: Editor,
  campaignId: string,
  ifVersion: number | null,
  patch: CampaignPatch,
): Promise<CampaignView | CampaignRefusal> {
  const found = await lockCampaign(context, editor.merchant, campaignId);
  if (found === undefined) return "not_found";
  if (ifVersion !== null && ifVersion !== found.version) return "stale_version";
  if (patch.status === "draft") return "invalid_transition";
  const definition = merge(found.definition, patch);
  const version = found.version + 1;
  await context.tx.unsafe(
    `UPDATE cashback.campaign SET version = $2, cap_periods = cap_periods | $3::int2 WHERE campaign = $1`,
    [found.campaign, version, capPeriodsOf(definition)],
    { prepare: true },
  );
  await storeVersion(context, editor, found.campaign, version, definition);
  return { version, definition };
}

/** Deletes a draft. */
export async function deleteCampaign(
  context: ChunkContext,
  editor: Editor,
  campaignId: string,
  ifVersion: number | null,
): Promise<"deleted" | CampaignRefusal> {
  const found = await lockCampaign(context, editor.merchant, campaignId);
  if (found === undefined) return "not_found";
  if (ifVersion !== null && ifVersion !== found.version) return "stale_version";
  if (found.definition.status !== "draft") return "not_draft";
  await context.tx.unsafe(`DELETE FROM cashback.campaign WHERE campaign = $1`, [found.campaign], { prepare: true });
  await bumpRevision(context, editor.merchant);
  return "deleted";
}

function merge(definition: CampaignDefinition, patch: CampaignPatch): CampaignDefinition {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
  return { ...definition, ...given, id: definition.id };
}

async function lockCampaign({ tx }: ChunkContext, merchant: number, campaignId: string) {
  const rows = await tx.unsafe<{ campaign: number; version: number; definition: CampaignDefinition }[]>(
    `SELECT c.campaign, c.version, v.definition FROM cashback.campaign c JOIN cashback.campaign_version v USING (campaign, version)
     WHERE c.merchant = $1 AND c.campaign_id = $2 FOR UPDATE OF c`,
    [merchant, campaignId],
    { prepare: true },
  );
  return rows[0];
}

async function storeVersion(
  context: ChunkContext,
  { merchant, actor, at }: Editor,
  campaign: number,
  version: number,
  definition: CampaignDefinition,
): Promise<void> {
  const fromOff: number[] = [];
  for (const { partition, nextOffset } of context.progress.values()) fromOff[partition] = nextOffset;
  for (let part = 0; part < fromOff.length; part++) if (fromOff[part] === undefined) throw new Error(`partition ${part} is not locked`);
  await insertSet(
    context.tx,
    "cashback.campaign_version",
    { campaign: "int4", version: "int4", definition: "jsonb", from_off: "int8[]", actor: "text", created_at: "timestamptz" },
    [{ campaign, version, definition, from_off: fromOff, actor, created_at: at }],
  );
  const { budgetMinor, perOrderCapMinor } = campaignOf(campaign, version, definition);
  await setBudget(context.tx, { campaign, budgetMinor, perOrderCapMinor }, context.progress.size);
  await bumpRevision(context, merchant);
}

async function bumpRevision({ tx }: ChunkContext, merchant: number): Promise<void> {
  await tx.unsafe(
    `INSERT INTO cashback.campaign_revision AS r (merchant, revision) VALUES ($1, 1) ON CONFLICT (merchant) DO UPDATE SET revision = r.revision + 1`,
    [merchant],
    { prepare: true },
  );
}
