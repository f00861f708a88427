import { type Merchant, settingsAt } from "@perkstream/merchant";
import { emptyLadder, type LadderEdit, type Rules } from "./domain/index.ts";
import { calendarOf } from "./zone.ts";

/** A stored version of the ladder: `from` is the offset from which it holds, per partition. */
export interface LadderVersion extends LadderEdit {
  readonly from: readonly number[];
}

/** A merchant with all versions of its ladder, oldest first; version n is the n-th, version 0 is the empty ladder. */
export class MerchantRules {
  readonly merchant: Merchant;
  readonly versions: readonly LadderVersion[];
  readonly #rules = new Map<string, (Rules | undefined)[]>();

  constructor(merchant: Merchant, versions: readonly LadderVersion[]) {
    this.merchant = merchant;
    this.versions = versions;
  }

  get id(): number {
    return this.merchant.id;
  }

  get newestVersion(): number {
    return this.versions.length;
  }

  /** The version of the ladder that holds at an offset. */
  versionAt(partition: number, offset: number): number {
    return versionAt(this.versions, partition, offset);
  }

  /** One version with the calendar of the time zone that holds at an offset. */
  rulesOf(version: number, partition: number, offset: number): Rules {
    const { timeZone } = settingsAt(this.merchant, partition, offset);
    let ofZone = this.#rules.get(timeZone);
    if (ofZone === undefined) this.#rules.set(timeZone, (ofZone = []));
    return (ofZone[version] ??= this.#compile(version, timeZone));
  }

  #compile(version: number, timeZone: string): Rules {
    const ladder = version === 0 ? emptyLadder : this.versions[version - 1]?.ladder;
    if (ladder === undefined) throw new Error(`merchant ${this.merchant.merchantId} has no ladder version ${version}`);
    return { ladder, calendar: calendarOf(timeZone) };
  }

  /** The versions after `evaluated` up to `target`, oldest first. */
  editsBetween(evaluated: number, target: number): readonly LadderVersion[] {
    return this.versions.slice(evaluated, target);
  }
}

/** The number of the version that holds at an offset; 0 before the first. */
export function versionAt(versions: readonly LadderVersion[], partition: number, offset: number): number {
  for (let version = versions.length; version > 0; version--) {
    if ((versions[version - 1]!.from[partition] ?? 0) <= offset) return version;
  }
  return 0;
}
