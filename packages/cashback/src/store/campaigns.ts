import { fromSet, parseInt8Array, type Tx, type Sql } from "@perkstream/postgres";
import { type CampaignDefinition, campaignOf } from "../definition.ts";
import { byPriority, type Campaign, capPeriodCode } from "../domain/index.ts";

export interface HeldVersion {
  readonly campaign: Campaign;
  readonly fromOff: readonly number[];
}

/** A campaign with its versions, the last first. */
export interface StoredCampaign {
  readonly campaign: number;
  readonly campaignId: string;
  readonly capPeriods: number;
  readonly capPeriodsFromStart: number;
  /** Where awards take of its budget from (store/budgets.ts). */
  readonly budget: "none" | "shared" | "allowances";
  readonly versions: readonly HeldVersion[];
}

/** A merchant's campaigns at one revision. */
export class MerchantCampaigns {
  readonly revision: number;
  readonly byId: ReadonlyMap<number, StoredCampaign>;
  /** Some version that is not a draft uses tier multipliers. */
  readonly mayUseTier: boolean;
  readonly capPeriods: number;
  readonly hasBudget: boolean;
  readonly #latest: readonly Campaign[];
  readonly #oldestNeeded: readonly number[];
  readonly #all: readonly StoredCampaign[];

  constructor(revision: number, campaigns: readonly StoredCampaign[]) {
    this.revision = revision;
    this.#all = campaigns;
    this.byId = new Map(campaigns.map((one) => [one.campaign, one]));
    this.mayUseTier = campaigns.some(({ versions }) =>
      versions.some(({ campaign }) => campaign.tierMultiplier && campaign.status !== "draft"),
    );
    this.capPeriods = campaigns.reduce((bits, one) => bits | one.capPeriods, 0);
    this.hasBudget = campaigns.some((one) => one.budget !== "none");
    this.#latest = campaigns.flatMap(({ versions }) => versions.slice(0, 1).map(({ campaign }) => campaign)).sort(byPriority);
    const newest = campaigns.flatMap(({ versions }) => versions.slice(0, 1));
    this.#oldestNeeded = newest.reduce<number[]>((most, { fromOff }) => {
      fromOff.forEach((from, part) => (most[part] = Math.max(most[part] ?? 0, from)));
      return most;
    }, []);
  }

  /** The versions that hold at an offset, by priority then id. */
  at(partition: number, offset: number): readonly Campaign[] {
    // An edit holds from the next offset on, so only what is read again is older than the newest version.
    if (offset >= (this.#oldestNeeded[partition] ?? 0)) return this.#latest;
    return this.#all
      .flatMap(({ versions }) =>
        versions
          .filter(({ fromOff }) => (fromOff[partition] ?? 0) <= offset)
          .slice(0, 1)
          .map(({ campaign }) => campaign),
      )
      .sort(byPriority);
  }

  usesTierAt(partition: number, offset: number): boolean {
    return this.mayUseTier && this.at(partition, offset).some((one) => one.tierMultiplier && one.status !== "draft");
  }

  campaignId(campaign: number): string {
    const found = this.byId.get(campaign);
    if (found === undefined) throw new Error(`campaign ${campaign} is not among the merchant's`);
    return found.campaignId;
  }
}

const NONE = new MerchantCampaigns(0, []);
const MAX_CACHED = 10_000;

interface VersionRow {
  readonly merchant: number;
  readonly campaign: number;
  readonly campaign_id: string;
  readonly cap_periods: number;
  readonly cap_periods_from_start: number;
  /** Null: it has no budget. */
  readonly budget_shared: boolean | null;
  readonly version: number;
  readonly definition: CampaignDefinition;
  readonly from_off: string;
}

/** Campaigns by merchant's surrogate id, read again when their revision changed. */
export class CampaignCache {
  #known = new Map<number, MerchantCampaigns>();

  clear(): void {
    this.#known.clear();
  }

  /** Compares revisions in this transaction (under the progress lock) and reads what is new. */
  async load(tx: Tx | Sql, merchants: readonly number[]): Promise<ReadonlyMap<number, MerchantCampaigns>> {
    const found = new Map<number, MerchantCampaigns>();
    if (merchants.length === 0) return found;
    const set = fromSet(
      { merchant: "int4" },
      merchants.map((merchant) => ({ merchant })),
    );
    const rows = await tx.unsafe<{ merchant: number; revision: bigint }[]>(
      `SELECT c.merchant, c.revision FROM ${set.text} AS r JOIN cashback.campaign_revision c USING (merchant)`,
      set.params,
      { prepare: true },
    );
    const stale = new Map<number, number>();
    for (const { merchant, revision } of rows) {
      const known = this.#known.get(merchant);
      if (known?.revision === Number(revision)) found.set(merchant, known);
      else stale.set(merchant, Number(revision));
    }
    if (stale.size > 0) await this.#read(tx, stale, found);
    for (const merchant of merchants) if (!found.has(merchant)) found.set(merchant, NONE);
    return found;
  }

  async #read(tx: Tx | Sql, stale: ReadonlyMap<number, number>, found: Map<number, MerchantCampaigns>): Promise<void> {
    const set = fromSet(
      { merchant: "int4" },
      [...stale.keys()].map((merchant) => ({ merchant })),
    );
    const rows = await tx.unsafe<VersionRow[]>(
      `SELECT c.merchant, c.campaign, c.campaign_id, c.cap_periods, c.cap_periods_from_start, CASE WHEN b.budget IS NOT NULL THEN b.shared END AS budget_shared,
         v.version, v.definition, v.from_off
       FROM ${set.text} AS r JOIN cashback.campaign c USING (merchant) JOIN cashback.campaign_version v USING (campaign)
         LEFT JOIN cashback.campaign_budget b USING (campaign)
       ORDER BY c.merchant, c.campaign, v.version DESC`,
      set.params,
      { prepare: true },
    );
    const byMerchant = Map.groupBy(rows, (row) => row.merchant);
    for (const [merchant, revision] of stale) {
      const campaigns = new MerchantCampaigns(revision, storedOf(byMerchant.get(merchant) ?? []));
      found.set(merchant, campaigns);
      if (this.#known.size >= MAX_CACHED) this.#known.clear();
      this.#known.set(merchant, campaigns);
    }
  }
}

function storedOf(rows: readonly VersionRow[]): StoredCampaign[] {
  return [...Map.groupBy(rows, (row) => row.campaign).values()].map((versions) => {
    const first = versions[0];
    if (first === undefined) throw new Error("a campaign without a version");
    return {
      campaign: first.campaign,
      campaignId: first.campaign_id,
      capPeriods: first.cap_periods,
      capPeriodsFromStart: first.cap_periods_from_start,
      budget: first.budget_shared === null ? "none" : first.budget_shared ? "shared" : "allowances",
      versions: versions.map((row) => ({
        campaign: campaignOf(row.campaign, row.version, row.definition),
        fromOff: parseInt8Array(row.from_off),
      })),
    };
  });
}

/** The cap periods that a definition makes the program keep count of. */
export function capPeriodsOf(definition: CampaignDefinition): number {
  return definition.perCustomerCap === null ? 0 : capPeriodCode[definition.perCustomerCap.period];
}
