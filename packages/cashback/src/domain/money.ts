/** Basis points of rate and multiplier together: an award is base × rate × multiplier / SCALE. */
const SCALE = 100_000_000n;
const SCALE_NUMBER = 100_000_000;

export function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

export function sum(amounts: readonly bigint[]): bigint {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
}

/**
 * Spreads an amount over weights by largest remainder, ties to the lower position (programs.md, Cashback 1 and 4).
 * The parts add up to `totalMinor` unless every weight is zero.
 */
export function spread(totalMinor: bigint, weights: readonly bigint[]): bigint[] {
  const parts = weights.map(() => 0n);
  const weightSum = sum(weights);
  if (totalMinor === 0n || weightSum === 0n) return parts;
  const remainders: { position: number; remainder: bigint }[] = [];
  let left = totalMinor;
  for (let position = 0; position < weights.length; position++) {
    const product = totalMinor * (weights[position] ?? 0n);
    const part = product / weightSum;
    parts[position] = part;
    left -= part;
    const remainder = product % weightSum;
    if (remainder > 0n) remainders.push({ position, remainder });
  }
  if (left === 0n) return parts;
  remainders.sort((a, b) => (a.remainder === b.remainder ? a.position - b.position : a.remainder > b.remainder ? -1 : 1));
  for (let i = 0; i < Number(left); i++) {
    const winner = remainders[i];
    if (winner !== undefined) parts[winner.position] = (parts[winner.position] ?? 0n) + 1n;
  }
  return parts;
}

/** floor(base × rate × multiplier / 10^8): the one rounding of an award. */
export function earned(baseMinor: bigint, rateBps: number, multiplierBps: number): bigint {
  // Exact in doubles while the product is a safe integer, which nearly every order is.
  const product = Number(baseMinor) * rateBps * multiplierBps;
  if (product <= Number.MAX_SAFE_INTEGER) return BigInt((product - (product % SCALE_NUMBER)) / SCALE_NUMBER);
  return (baseMinor * BigInt(rateBps) * BigInt(multiplierBps)) / SCALE;
}
