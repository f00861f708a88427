import { setTimeout as sleep } from "node:timers/promises";

/** Things wait here at most; whoever adds looks at `isFull` first. */
const capacity = 300;
const retryMs = 250;

/**
 * Delivers one after the other, each again and again until it is acknowledged: what belongs together keeps its order through
 * every outage, as a shop's own outbox would.
 */
export class Lane<T> {
  readonly #deliver: (items: readonly T[]) => Promise<boolean>;
  readonly #batch: number;
  readonly #waiting: T[] = [];
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  /** Deliveries that were not acknowledged, each of which was tried again. */
  repeats = 0;

  /** `deliver` takes at most `batch` items and resolves with whether they were acknowledged; it does not reject. */
  constructor(batch: number, deliver: (items: readonly T[]) => Promise<boolean>) {
    this.#batch = batch;
    this.#deliver = deliver;
  }

  get isFull(): boolean {
    return this.#waiting.length >= capacity;
  }

  /** Not acknowledged yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  add(item: T): void {
    this.#waiting.push(item);
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  /** Gives up what is not acknowledged. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted) {
      const items = this.#waiting.slice(0, this.#batch);
      if (await this.#deliver(items)) {
        this.#waiting.splice(0, items.length);
        continue;
      }
      this.repeats += 1;
      await sleep(retryMs, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }
}
