/** Units that count which a customer bought under one version of a card and still has. */
export interface Bought {
  /** The version's. */
  readonly size: number;
  readonly units: number;
}

/** Where a customer's units lead: how many rewards they are worth in all, and the stamps towards the next one. */
export interface Standing {
  readonly rewards: number;
  readonly stamps: number;
}

const NOTHING: Standing = { rewards: 0, stamps: 0 };

/**
 * Goes through the units in the order of the versions that they were bought under (which is the order of their offsets):
 *
 *   stamps 0 ── unit ──► 1 ── unit ──► … ──► size, the card is full ── unit, rewarded ──► 0, reward + 1
 *
 * So with one size it is `units / (size + 1)`: the quotient are the rewards, the rest are the stamps. Nothing else is looked
 * at, so every order of events that leaves the same units leads to the same standing. A card that holds more stamps than a
 * smaller new size is full.
 */
export function standingOf(bought: Iterable<Bought>): Standing {
  let standing = NOTHING;
  for (const { size, units } of bought) if (units > 0) standing = after(standing, size, units);
  return standing;
}

/** Some units more, under the newest version. */
export function after({ rewards, stamps }: Standing, size: number, units: number): Standing {
  const total = Math.min(stamps, size) + units;
  return { rewards: rewards + Math.floor(total / (size + 1)), stamps: total % (size + 1) };
}
