import { arrayLiteral, type Sql, type Tx } from "@perkstream/postgres";
import { findMerchant } from "./load.ts";
import { currentSettings, type Merchant, type MerchantClock, type Settings } from "./settings.ts";

export interface NewMerchant {
  /** Made by the database when left out. */
  readonly merchantId?: string | undefined;
  readonly name: string;
  readonly currency: string;
  readonly timeZone: string;
  /** Default `allow_negative`. */
  readonly clawbackPolicy?: Settings["clawbackPolicy"] | undefined;
  /** Default 0: none is sent. */
  readonly expiringNoticeDays?: number | undefined;
  /** Default `real`. */
  readonly clock?: MerchantClock | undefined;
}

/** Who does something and when (ms). */
export interface Act {
  readonly actor: string;
  readonly at: number;
}

/**
 * Creates a merchant with its first settings, which hold from the beginning of every partition; from the commit of `tx` on
 * it exists for all programs at once. Null when the given `merchantId` is taken.
 */
export async function createMerchant(tx: Tx | Sql, created: NewMerchant, act: Act): Promise<Merchant | null> {
  const at = new Date(act.at).toISOString();
  const [row] = await tx<{ id: number; merchant_id: string }[]>`
    INSERT INTO merchant.merchant (merchant_id, name, clock, created_at)
    VALUES (coalesce(${created.merchantId ?? null}::uuid, gen_random_uuid()), ${created.name}, ${created.clock ?? "real"}, ${at}::timestamptz)
    ON CONFLICT (merchant_id) DO NOTHING RETURNING id, merchant_id`;
  if (row === undefined) return null;
  await tx`
    INSERT INTO merchant.setting (merchant, version, currency, time_zone, clawback_policy, expiring_notice_days, shared_from, cashback_from, actor, created_at)
    VALUES (${row.id}, 1, ${created.currency}, ${created.timeZone}, ${created.clawbackPolicy ?? "allow_negative"},
            ${created.expiringNoticeDays ?? 0}, '{}', '{}', ${act.actor}, ${at}::timestamptz)`;
  return existing(tx, row.merchant_id);
}

export interface SettingsChange extends Partial<Settings> {
  readonly name?: string | undefined;
}

/** The offsets per partition (index) from which an edit holds, taken under the locks of the progress rows. */
export interface HoldsFrom {
  /** The larger of all programs' next offsets: currency and time zone. */
  readonly shared: readonly number[];
  /** The cashback program's next offsets: clawbackPolicy, expiringNoticeDays. */
  readonly cashback: readonly number[];
}

/**
 * Stores a new version of the settings (none when only the name changes) and returns the merchant after it; null when it
 * does not exist. The caller holds the progress rows of both programs and has refused a currency that is fixed.
 */
export async function updateSettings(
  tx: Tx | Sql,
  merchantId: string,
  change: SettingsChange,
  from: HoldsFrom,
  act: Act,
): Promise<Merchant | null> {
  const [locked] = await tx`SELECT id FROM merchant.merchant WHERE merchant_id = ${merchantId} FOR UPDATE`;
  const before = locked === undefined ? null : await findMerchant(tx, merchantId);
  if (before === null) return null;
  const current = currentSettings(before);
  const next = { ...current, ...definedOf(change) };
  const changesSettings =
    next.currency !== current.currency ||
    next.timeZone !== current.timeZone ||
    next.clawbackPolicy !== current.clawbackPolicy ||
    next.expiringNoticeDays !== current.expiringNoticeDays;
  if (changesSettings) {
    await tx`
      INSERT INTO merchant.setting (merchant, version, currency, time_zone, clawback_policy, expiring_notice_days, shared_from, cashback_from, actor, created_at)
      VALUES (${before.id}, ${current.version + 1}, ${next.currency}, ${next.timeZone}, ${next.clawbackPolicy}, ${next.expiringNoticeDays},
              ${arrayLiteral(from.shared)}::int8[], ${arrayLiteral(from.cashback)}::int8[], ${act.actor}, ${new Date(act.at).toISOString()}::timestamptz)`;
  }
  await tx`UPDATE merchant.merchant SET name = ${change.name ?? before.name}, revision = gen_random_uuid() WHERE id = ${before.id}`;
  return existing(tx, merchantId);
}

function definedOf(change: SettingsChange): Partial<Settings> {
  return {
    ...(change.currency === undefined ? {} : { currency: change.currency }),
    ...(change.timeZone === undefined ? {} : { timeZone: change.timeZone }),
    ...(change.clawbackPolicy === undefined ? {} : { clawbackPolicy: change.clawbackPolicy }),
    ...(change.expiringNoticeDays === undefined ? {} : { expiringNoticeDays: change.expiringNoticeDays }),
  };
}

async function existing(tx: Tx | Sql, merchantId: string): Promise<Merchant> {
  const merchant = await findMerchant(tx, merchantId);
  if (merchant === null) throw new Error(`merchant ${merchantId} is gone`);
  return merchant;
}
