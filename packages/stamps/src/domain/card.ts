/** A stamp card as a version of it says: who buys `size` units of the category gets the next one rewarded. */
export interface CardRules {
  readonly cardId: string;
  /** 1 is the card's first. */
  readonly version: number;
  readonly name: string;
  /** A line counts when its category is this one, letter by letter. */
  readonly category: string;
  /** Stamps that fill the card. */
  readonly size: number;
  /** Else nothing bought under this version counts. */
  readonly active: boolean;
}

/** What of an order's line matters. Amounts in minor units. */
export interface Line {
  readonly category: string | null;
  readonly quantity: number;
  readonly netMinor: bigint;
}
