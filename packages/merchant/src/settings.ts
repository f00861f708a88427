/** What happens when an award is clawed back that was spent already. */
export type ClawbackPolicy = "allow_negative" | "clamp_to_zero";

/** `manual`: the background sweep leaves this merchant out (development only). */
export type MerchantClock = "real" | "manual";

export type Role = "viewer" | "operator" | "owner";

export interface Settings {
  /** ISO 4217 code. */
  readonly currency: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly clawbackPolicy: ClawbackPolicy;
  /** How long before an expiry the notice is sent; 0 for none. */
  readonly expiringNoticeDays: number;
}

/**
 * One version of the settings and the offsets from which it holds, one per partition; a missing one is 0.
 * `currency` and `timeZone` hold for every program from the same offset, the rest only concerns cashback (protocols.md 12).
 */
export interface SettingsVersion extends Settings {
  readonly version: number;
  readonly sharedFrom: readonly number[];
  readonly cashbackFrom: readonly number[];
}

export interface Merchant {
  /** Surrogate id, int4. */
  readonly id: number;
  /** The UUID that events and tokens name. */
  readonly merchantId: string;
  readonly name: string;
  readonly clock: MerchantClock;
  /** Ascending by version, at least one. */
  readonly versions: readonly SettingsVersion[];
  /** Changes with every edit; what a cache compares. */
  readonly revision: string;
}

/** The settings that hold at an offset of orders.v1: what a program decides an event, command or sweep by. */
export function settingsAt(merchant: Merchant, partition: number, offset: number): Settings {
  const last = merchant.versions.at(-1);
  if (last === undefined) throw new Error(`merchant ${merchant.merchantId} has no settings`);
  if (merchant.versions.length === 1) return last;
  const shared = heldAt(merchant, offset, (version) => version.sharedFrom[partition]);
  const own = heldAt(merchant, offset, (version) => version.cashbackFrom[partition]);
  return {
    currency: shared.currency,
    timeZone: shared.timeZone,
    clawbackPolicy: own.clawbackPolicy,
    expiringNoticeDays: own.expiringNoticeDays,
  };
}

/** The settings of the last version, whatever the offset: what the API shows. */
export function currentSettings(merchant: Merchant): SettingsVersion {
  const last = merchant.versions.at(-1);
  if (last === undefined) throw new Error(`merchant ${merchant.merchantId} has no settings`);
  return last;
}

function heldAt(merchant: Merchant, offset: number, from: (version: SettingsVersion) => number | undefined): SettingsVersion {
  const held = merchant.versions.findLast((version) => (from(version) ?? 0) <= offset);
  return held ?? merchant.versions[0]!;
}
