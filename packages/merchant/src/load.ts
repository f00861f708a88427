import { arrayLiteral, type Sql, type Tx } from "@perkstream/postgres";
import type { ClawbackPolicy, Merchant, MerchantClock, SettingsVersion } from "./settings.ts";

/** Merchants that this process knows, by UUID; bounded, the longest unused is forgotten. */
export interface MerchantCache {
  get(merchantId: string): Merchant | undefined;
  set(merchant: Merchant): void;
  /** For a program's `dropCaches`. */
  clear(): void;
}

export function createMerchantCache(limit = 10_000): MerchantCache {
  const known = new Map<string, Merchant>();
  return {
    get: (merchantId) => known.get(merchantId),
    set(merchant) {
      known.delete(merchant.merchantId);
      known.set(merchant.merchantId, merchant);
      const oldest = known.keys().next();
      if (known.size > limit && oldest.done === false) known.delete(oldest.value);
    },
    clear: () => known.clear(),
  };
}

interface MerchantRow {
  readonly id: number;
  readonly merchant_id: string;
  readonly revision: string;
  /** Null when the revision is the one that was asked for. */
  readonly name: string | null;
  readonly clock: MerchantClock;
  readonly versions: readonly VersionRow[] | null;
}

interface VersionRow {
  readonly version: number;
  readonly currency: string;
  readonly time_zone: string;
  readonly clawback_policy: ClawbackPolicy;
  readonly expiring_notice_days: number;
  readonly shared_from: readonly number[];
  readonly cashback_from: readonly number[];
}

const VERSIONS =
  "(SELECT jsonb_agg(jsonb_build_object('version', s.version, 'currency', s.currency, 'time_zone', s.time_zone, " +
  "'clawback_policy', s.clawback_policy, 'expiring_notice_days', s.expiring_notice_days, " +
  "'shared_from', s.shared_from, 'cashback_from', s.cashback_from) ORDER BY s.version) " +
  "FROM merchant.setting s WHERE s.merchant = m.id)";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NO_REVISION = "00000000-0000-0000-0000-000000000000";

/**
 * The merchants of a chunk by UUID, by one statement: only those are read again whose revision differs from the cache's.
 * Must run under the progress lock. One that is absent from the result does not exist now: this was asked of the
 * database in this transaction. Texts that are no UUID in its canonical form are absent too.
 */
export async function loadMerchants(tx: Tx | Sql, merchantIds: Iterable<string>, cache: MerchantCache): Promise<Map<string, Merchant>> {
  const wanted = [...new Set(merchantIds)].filter((id) => UUID.test(id));
  if (wanted.length === 0) return new Map();
  // Others may put into the cache, or be put out of it, while this waits for its answer.
  const known = new Map(wanted.map((id) => [id, cache.get(id)]));
  const revisions = wanted.map((id) => known.get(id)?.revision ?? NO_REVISION);
  const rows: readonly MerchantRow[] = await tx.unsafe(
    `SELECT m.id, m.merchant_id, m.revision, CASE WHEN m.revision = q.revision THEN NULL ELSE m.name END AS name, m.clock,
            CASE WHEN m.revision = q.revision THEN NULL ELSE ${VERSIONS} END AS versions
     FROM unnest($1::uuid[], $2::uuid[]) AS q(merchant_id, revision) JOIN merchant.merchant m USING (merchant_id)`,
    [arrayLiteral(wanted), arrayLiteral(revisions)],
    { prepare: true },
  );
  const found = new Map<string, Merchant>();
  for (const row of rows) {
    const merchant = row.versions === null ? known.get(row.merchant_id) : merchantOf(row);
    if (merchant === undefined) throw new Error(`merchant ${row.merchant_id} has no settings`);
    cache.set(merchant);
    found.set(row.merchant_id, merchant);
  }
  return found;
}

/** One merchant by UUID as the database has it; null when there is none. */
export async function findMerchant(sql: Tx | Sql, merchantId: string): Promise<Merchant | null> {
  const found = await loadMerchants(sql, [merchantId], createMerchantCache(1));
  return found.get(merchantId) ?? null;
}

/** Merchants by surrogate id: what a sweep needs of the customers that it finds due. */
export async function loadMerchantsById(tx: Tx | Sql, ids: Iterable<number>): Promise<Map<number, Merchant>> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return new Map();
  const rows: readonly MerchantRow[] = await tx.unsafe(
    `SELECT m.id, m.merchant_id, m.revision, m.name, m.clock, ${VERSIONS} AS versions FROM merchant.merchant m WHERE m.id = ANY($1::int4[])`,
    [arrayLiteral(wanted)],
    { prepare: true },
  );
  return new Map(rows.map((row) => [row.id, merchantOf(row)]));
}

function merchantOf(row: MerchantRow): Merchant {
  return {
    id: row.id,
    merchantId: row.merchant_id,
    name: row.name ?? "",
    clock: row.clock,
    versions: (row.versions ?? []).map(versionOf),
    revision: row.revision,
  };
}

function versionOf(row: VersionRow): SettingsVersion {
  return {
    version: row.version,
    currency: row.currency,
    timeZone: row.time_zone,
    clawbackPolicy: row.clawback_policy,
    expiringNoticeDays: row.expiring_notice_days,
    sharedFrom: row.shared_from,
    cashbackFrom: row.cashback_from,
  };
}
