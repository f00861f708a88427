import { Refusal } from "../errors.ts";

export interface GateLimits {
  /** Pieces of work under way at most; further ones are refused at once. */
  readonly atOnce: number;
  /** How long a piece may take before it is answered 503. It goes on, and counts until it ends. */
  readonly answerMs: number;
}

/**
 * Bounds what waits for the database and for Kafka, in number and in time: when one of them is slow or away, callers are told soon
 * and no queue grows.
 */
export class Gate {
  readonly #limits: GateLimits;
  #underWay = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** What `work` gives, or 503. `answerMs` instead of the gate's own, for work that takes its time. */
  async run<T>(work: () => Promise<T>, answerMs = this.#limits.answerMs): Promise<T | Refusal> {
    if (this.#underWay >= this.#limits.atOnce) return unavailable("too many requests are under way, try again");
    this.#underWay += 1;
    const done = work().finally(() => (this.#underWay -= 1));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Refusal>((resolve) => {
      timer = setTimeout(
        () => resolve(unavailable("a part of the system does not answer; this may still be carried out, try again")),
        answerMs,
      );
    });
    done.catch(() => {}); // after the bound nobody waits for it
    try {
      return await Promise.race([done, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const unavailable = (detail: string): Refusal => new Refusal("unavailable", detail, [], { "retry-after": "1" });
