/** Spreads an amount by weights: whole shares first, what is left one by one to the largest remainders, ties to the lower position. */
export function spread(amount: bigint, weights: readonly bigint[]): bigint[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  if (total === 0n) return weights.map(() => 0n);
  const shares = weights.map((weight) => (amount * weight) / total);
  const order = weights
    .map((weight, position) => ({ position, remainder: (amount * weight) % total }))
    .sort((a, b) => (a.remainder === b.remainder ? a.position - b.position : a.remainder > b.remainder ? -1 : 1));
  let left = amount - shares.reduce((sum, share) => sum + share, 0n);
  for (const { position } of order) {
    if (left === 0n) break;
    shares[position] = shares[position]! + 1n;
    left -= 1n;
  }
  return shares;
}

export function least(...amounts: (bigint | null)[]): bigint {
  return amounts.filter((amount) => amount !== null).reduce((low, amount) => (amount < low ? amount : low));
}

export function atLeastZero(amount: bigint): bigint {
  return amount < 0n ? 0n : amount;
}

export function sum(amounts: Iterable<bigint>): bigint {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
}
