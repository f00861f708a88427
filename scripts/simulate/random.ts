/** A source of random numbers that gives the same row for the same seed. */
export interface Random {
  /** At least 0 and below 1. */
  fraction(): number;
  /** A whole number of at least 0 and below `bound`. */
  below(bound: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
}

/** A counter whose bits are mixed (Murmur3's finalizer over a Weyl sequence): good enough for a simulation, not for secrets. */
export function seededRandom(seed: number): Random {
  let state = Math.imul(seed ^ 0x2545_f491, 0x9e37_79b1) | 0;
  const fraction = () => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
  return {
    fraction,
    below: (bound) => Math.floor(fraction() * bound),
    chance: (probability) => fraction() < probability,
  };
}

/** Draws ranks 0 to n−1 by Zipf's law: rank k comes in proportion to 1 / (k + 1). */
export function zipf(count: number): (random: Random) => number {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank += 1) {
    sum += 1 / (rank + 1);
    sums[rank] = sum;
  }
  return (random) => {
    const wanted = random.fraction() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
