import { type CardRules, type Standing, standingOf } from "./domain/index.ts";

/** A stored version of a card. */
export interface CardVersion extends CardRules {
  /** Numbers the edits of all of the merchant's cards, from 1. */
  readonly edit: number;
  /** The offset from which it holds, per partition; a missing one is 0. */
  readonly from: readonly number[];
}

/** All versions of all cards of a merchant, in the order of their edits. */
export class MerchantCards {
  readonly edits: readonly CardVersion[];
  readonly #cards = new Map<string, CardVersion[]>();

  constructor(edits: readonly CardVersion[]) {
    this.edits = edits;
    for (const edit of edits) {
      const versions = this.#cards.get(edit.cardId);
      if (versions === undefined) this.#cards.set(edit.cardId, [edit]);
      else versions.push(edit);
    }
  }

  /** The newest version of every card, by cardId in byte order. */
  newest(): CardVersion[] {
    return [...this.#cards.values()].map((versions) => versions.at(-1)!).sort((a, b) => (a.cardId < b.cardId ? -1 : 1));
  }

  /** Whether a merchant had a card at this place: orders before its first one are not kept. */
  beganBefore(partition: number, offset: number): boolean {
    return (this.edits[0]?.from[partition] ?? 0) <= offset;
  }

  /** The cards that count what is bought at this place, by cardId in byte order. */
  at(partition: number, offset: number): CardVersion[] {
    const held: CardVersion[] = [];
    for (const versions of this.#cards.values()) {
      const version = versions.findLast(({ from }) => (from[partition] ?? 0) <= offset);
      if (version?.active === true) held.push(version);
    }
    return held.sort((a, b) => (a.cardId < b.cardId ? -1 : 1));
  }

  version(cardId: string, version: number): CardVersion {
    const found = this.#cards.get(cardId)?.[version - 1];
    if (found === undefined) throw new Error(`there is no version ${version} of card ${cardId}`);
    return found;
  }

  /** @param units by version, the first at 1 */
  standing(cardId: string, units: readonly number[]): Standing {
    const versions = this.#cards.get(cardId) ?? [];
    return standingOf(versions.map(({ size }, i) => ({ size, units: units[i] ?? 0 })));
  }
}
