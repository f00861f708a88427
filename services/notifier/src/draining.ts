/**
 * Work that runs while there is some, once at a time.
 *
 *   idle ──wake, something waits──► running ──nothing waits──► idle
 *                                      ▲          │ something came after the work's last look
 *                                      └──────────┘
 */
export class Draining {
  readonly #hasWork: () => boolean;
  readonly #work: () => Promise<void>;
  #running: Promise<void> | null = null;

  /** @param work takes what waits; it must not reject, and may give up although something waits only when it has taken some */
  constructor(hasWork: () => boolean, work: () => Promise<void>) {
    this.#hasWork = hasWork;
    this.#work = work;
  }

  /** To be called after something was added. */
  wake(): void {
    if (this.#running !== null || !this.#hasWork()) return;
    this.#running = this.#work().finally(() => {
      this.#running = null;
      this.wake();
    });
  }

  /** Resolves when nothing runs and nothing waits. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }
}
