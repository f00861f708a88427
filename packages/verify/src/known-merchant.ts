import type { Merchant } from "@perkstream/merchant";
import type { ReplayPlace, VersionClock } from "./place.ts";

/** A merchant with the versions of its settings that were known at a place. */
export class KnownMerchant {
  readonly merchant: Merchant;
  readonly #clock: VersionClock;
  readonly #known = new Map<number, Merchant>();

  constructor(merchant: Merchant, settings: VersionClock) {
    this.merchant = merchant;
    this.#clock = settings;
  }

  at(place: ReplayPlace): Merchant {
    const { id, versions } = this.merchant;
    if (versions.length === 1) return this.merchant;
    const { partition } = place;
    const count = this.#clock.countAt(id, place, versions.length, (version) => {
      const held = versions[version - 1];
      return Math.min(held?.sharedFrom[partition] ?? 0, held?.cashbackFrom[partition] ?? 0);
    });
    let known = this.#known.get(count);
    if (known === undefined) {
      known = count === versions.length ? this.merchant : { ...this.merchant, versions: versions.slice(0, Math.max(1, count)) };
      this.#known.set(count, known);
    }
    return known;
  }
}
