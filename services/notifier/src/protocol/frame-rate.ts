const windowMs = 1_000;

/** At most `limit` frames in any second, exactly: the times of the last ones in a ring. */
export class FrameRate {
  readonly #times: Float64Array;
  #next = 0;

  constructor(limit: number) {
    this.#times = new Float64Array(limit).fill(Number.NEGATIVE_INFINITY);
  }

  /** False when this frame is one too many. `now` in ms on a clock that is never set back. */
  take(now: number): boolean {
    const oldest = this.#times[this.#next]!;
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % this.#times.length;
    return now - oldest >= windowMs;
  }
}

/** Tokens refilled at `perSecond`, at most one second's worth kept. */
export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#at = now;
  }

  take(now: number): boolean {
    this.#tokens = Math.min(this.#perSecond, this.#tokens + (Math.max(0, now - this.#at) * this.#perSecond) / 1_000);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
