import type { Line } from "./card.ts";
import { after, type Standing } from "./sheet.ts";
import { unitNetMinor } from "./units.ts";

/** A customer on a card before an order. */
export interface Before {
  readonly standing: Standing;
  /** Rewards that were given so far; never taken back, so after refunds they may be ahead of the standing's. */
  readonly given: number;
}

/** What an order does to a card. */
export interface Stamped {
  /** Units that count. */
  readonly units: number;
  /** Units that were not rewarded and gave a stamp. */
  readonly added: number;
  readonly standing: Standing;
  /** Rewards that the customer gets now. */
  readonly earned: number;
  /** What the rewarded units cost, in minor units. */
  readonly amountMinor: bigint;
}

/** Stamps the lines of an order, all of the card's category, unit by unit in their order; whatever the quantities, in one step per line. */
export function stampOrder({ standing, given }: Before, size: number, lines: readonly Line[]): Stamped {
  const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  const then = after(standing, size, units);
  const passed = then.rewards - standing.rewards;
  const earned = Math.max(0, then.rewards - given);
  return {
    units,
    added: units - passed,
    standing: then,
    earned,
    amountMinor: earned === 0 ? 0n : amountOf(lines, size, Math.min(standing.stamps, size), passed - earned),
  };
}

/** The rewarded units' net, without the first `skipped` of them, which are of rewards that were given before. */
function amountOf(lines: readonly Line[], size: number, stamps: number, skipped: number): bigint {
  let amountMinor = 0n;
  let position = stamps;
  for (const line of lines) {
    const from = Math.max(Math.floor(position / (size + 1)), skipped);
    position += line.quantity;
    const rewarded = Math.floor(position / (size + 1)) - from;
    if (rewarded > 0) amountMinor += BigInt(rewarded) * unitNetMinor(line);
  }
  return amountMinor;
}
