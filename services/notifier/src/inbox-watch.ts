/** Polls while somebody waits, so that the wait ends a few milliseconds after the inbox's commit. */
const pollMs = 10;
const retryMs = 100;

interface Waiter {
  readonly partition: number;
  readonly next: number;
  readonly done: (reached: boolean) => void;
}

/** Waits for the inbox writer; one query answers everybody who waits. */
export class InboxWatch {
  readonly #read: () => Promise<ReadonlyMap<number, number>>;
  readonly #waiters = new Set<Waiter>();
  #polling = false;

  /** @param read the inbox's next offset per partition */
  constructor(read: () => Promise<ReadonlyMap<number, number>>) {
    this.#read = read;
  }

  /** Resolves with true when the inbox's next offset is at least `next`, with false after `timeoutMs`. */
  reached(partition: number, next: number, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        partition,
        next,
        done: (reached) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(reached);
        },
      };
      const timer = setTimeout(() => waiter.done(false), timeoutMs);
      this.#waiters.add(waiter);
      if (!this.#polling) void this.#poll();
    });
  }

  stop(): void {
    for (const waiter of this.#waiters) waiter.done(false);
  }

  async #poll(): Promise<void> {
    this.#polling = true;
    while (this.#waiters.size > 0) {
      const asked = [...this.#waiters];
      const progress = await this.#read().catch(() => null);
      for (const waiter of asked) if ((progress?.get(waiter.partition) ?? -1) >= waiter.next) waiter.done(true);
      if (this.#waiters.size > 0) await new Promise((resolve) => setTimeout(resolve, progress === null ? retryMs : pollMs));
    }
    this.#polling = false;
  }
}
