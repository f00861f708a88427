import type { StoredAwards } from "../awards.ts";

/** What is stored of an order that comes in a replay and is an input of it: what budgets left, and the numbers of its lots. */
export class StoredOrder {
  readonly #awards: StoredAwards["a"];

  /** @param awards JSON text */
  constructor(awards: string | null) {
    this.#awards = awards === null ? [] : (JSON.parse(awards) as StoredAwards).a;
  }

  /** What the stored award says that the budget left; null where it says nothing. */
  budgetLeft(campaign: number): bigint | null {
    const left = this.#awards.find((award) => award[0] === campaign)?.[11] ?? null;
    return left === null ? null : BigInt(left);
  }

  /** The number of the lot of an award; null where there is none. */
  lotOf(campaign: number): number | null {
    return this.#awards.find((award) => award[0] === campaign)?.[14] ?? null;
  }
}
