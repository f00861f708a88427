/** Requests a second per credential, and how many may come at once. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

/** Development plays stories at full speed. */
export const rateLimits = {
  development: { perSecond: 5_000, burst: 10_000 },
  production: { perSecond: 500, burst: 1_000 },
} as const satisfies Record<string, RateLimit>;

interface Bucket {
  tokens: number;
  refilledAt: number;
}

const MAX_BUCKETS = 10_000;

/**
 * A token bucket per credential. The number of buckets is bounded: the one that was used longest ago goes,
 * which at worst gives its owner a full bucket again.
 */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** 0 when the request may go on, else whole seconds to wait. */
  take(credential: string, nowMs: number): number {
    const bucket = this.#touch(credential, nowMs);
    const refill = (Math.max(0, nowMs - bucket.refilledAt) / 1_000) * this.#limit.perSecond;
    bucket.tokens = Math.min(this.#limit.burst, bucket.tokens + refill);
    bucket.refilledAt = nowMs;
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / this.#limit.perSecond));
    bucket.tokens -= 1;
    return 0;
  }

  #touch(credential: string, nowMs: number): Bucket {
    const bucket = this.#buckets.get(credential) ?? { tokens: this.#limit.burst, refilledAt: nowMs };
    this.#buckets.delete(credential);
    this.#buckets.set(credential, bucket);
    if (this.#buckets.size > MAX_BUCKETS) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }
}
