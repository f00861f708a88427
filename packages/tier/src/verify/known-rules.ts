import type { Merchant } from "@perkstream/merchant";
import { KnownMerchant, type ReplayPlace, type VersionClock } from "@perkstream/verify";
import { type LadderVersion, MerchantRules } from "../merchant-rules.ts";

/** Which versions of the rules are known at a place. */
export interface RuleClocks {
  readonly ladders: VersionClock;
  readonly settings: VersionClock;
}

/** A merchant's rules as they were known at the places of a replay. */
export class KnownRules {
  readonly #merchant: KnownMerchant;
  readonly #versions: readonly LadderVersion[];
  readonly #ladders: VersionClock;
  readonly #known = new Map<Merchant, (MerchantRules | undefined)[]>();

  constructor(merchant: Merchant, versions: readonly LadderVersion[], { ladders, settings }: RuleClocks) {
    this.#merchant = new KnownMerchant(merchant, settings);
    this.#versions = versions;
    this.#ladders = ladders;
  }

  at(place: ReplayPlace): MerchantRules {
    const merchant = this.#merchant.at(place);
    const holdsFrom = (version: number) => this.#versions[version - 1]?.from[place.partition] ?? 0;
    const count = this.#ladders.countAt(merchant.id, place, this.#versions.length, holdsFrom);
    let ofMerchant = this.#known.get(merchant);
    if (ofMerchant === undefined) this.#known.set(merchant, (ofMerchant = []));
    return (ofMerchant[count] ??= new MerchantRules(merchant, this.#versions.slice(0, count)));
  }
}
