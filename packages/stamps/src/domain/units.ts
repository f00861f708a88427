import type { Line } from "./card.ts";

/**
 * How many units of a line its customer still has: the whole number nearest to `quantity × remaining / net`, a half counting as
 * one. Refunds are amounts, so this is where they become units: one unit's price takes one unit however the cents were
 * rounded, and an allowance of less than half a unit takes none. A line that cost nothing has all its units until its order
 * is cancelled.
 */
export function unitsLeft({ quantity, netMinor }: Line, remainingMinor: bigint, isCancelled: boolean): number {
  if (isCancelled) return 0;
  if (netMinor === 0n) return quantity;
  return Number((2n * BigInt(quantity) * remainingMinor + netMinor) / (2n * netMinor));
}

/** What one unit of a line cost, rounded down to a minor unit. */
export function unitNetMinor({ quantity, netMinor }: Line): bigint {
  return netMinor / BigInt(quantity);
}
