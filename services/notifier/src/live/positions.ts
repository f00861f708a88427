import { readMark, Sources, type InboxPosition } from "@perkstream/inbox";

/**
 * How far the live path has come in each partition, and which sources' sequences it has seen.
 *
 *   unknown ──start(position of the inbox)──► following ──take(offset, headers)──► new | repeat | passed
 *                        ▲                        │
 *                        └── the log no longer ───┘ (retention, a topic made anew): sockets of the partition close
 *                            holds the position
 */
export type Taken = "new" | "repeat" | "passed";

interface Following {
  next: number;
  sources: Sources;
}

export class LivePositions {
  readonly #partitions = new Map<number, Following>();
  readonly #waiters = new Map<number, Set<{ beyond: number; done: () => void }>>();

  start(partition: number, position: InboxPosition): void {
    this.#partitions.set(partition, { next: position.nextOffset, sources: new Sources(position.sources) });
  }

  get partitions(): number[] {
    return [...this.#partitions.keys()];
  }

  /** The offset that comes next, L of the hand-over; undefined while the partition is not followed. */
  next(partition: number): number | undefined {
    return this.#partitions.get(partition)?.next;
  }

  /** A record is here: moves on to behind it. `passed` when it was handled before (a batch read twice). */
  take(partition: number, offset: number, headers: Readonly<Record<string, Buffer>>): Taken {
    const following = this.#partitions.get(partition);
    if (following === undefined || offset < following.next) return "passed";
    following.next = offset + 1;
    const mark = readMark(headers);
    return mark === null || following.sources.take(mark) ? "new" : "repeat";
  }

  /** Moves on over offsets that hold no record (control records, compaction). */
  skipTo(partition: number, next: number): void {
    const following = this.#partitions.get(partition);
    if (following !== undefined && next > following.next) following.next = next;
    this.#wake(partition);
  }

  /** Waits until the record at `offset` was handled. False after `timeoutMs`. */
  passed(partition: number, offset: number, timeoutMs: number): Promise<boolean> {
    if ((this.next(partition) ?? 0) > offset) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(partition) ?? new Set();
      this.#waiters.set(partition, waiters);
      const finish = (reached: boolean) => {
        clearTimeout(timer);
        waiters.delete(waiter);
        resolve(reached);
      };
      const timer = setTimeout(() => finish(false), timeoutMs);
      const waiter = { beyond: offset, done: () => finish(true) };
      waiters.add(waiter);
    });
  }

  #wake(partition: number): void {
    const next = this.next(partition) ?? 0;
    for (const waiter of this.#waiters.get(partition) ?? []) if (next > waiter.beyond) waiter.done();
  }
}
