import type { DeadLetter, Entry, Rejection, SourceRecord } from "./program.ts";

/**
 * An assigned partition, as its owner sees it.
 *
 *                 ┌─────────── rebalance, lost fence, outage, jump in what was fetched ───────────┐
 *                 ▼                                                                               │
 *  assigned ─► acquiring ── new epoch stored, outbox leftovers queued, consumer sought ──► running ┤
 *                 │                                                                               │
 *                 ├── stored offset outside of the log ──► gap (reported; nothing is read)        │
 *                 └── database or broker away: again, with backoff                                │
 *                                                              running ── decide throws ──► held ─┘
 *                                                                (until `heldUntil`; other partitions go on)
 */
export type PartitionStatus = "acquiring" | "running" | "gap";

/** A record that waits for its chunk, decoded. */
export type Slot<E> =
  | { readonly record: SourceRecord; readonly entry: Entry<E>; readonly deadLetter?: never }
  | { readonly record: SourceRecord; readonly deadLetter: DeadLetter; readonly entry?: never };

export class Partition<E> {
  readonly partition: number;
  status: PartitionStatus = "acquiring";
  /** The next offset to handle: what the progress row holds. */
  next = 0;
  epoch = 0;
  /** What the next fetch must begin with; a batch that begins elsewhere is not taken. */
  fetchFrom = -1;
  /** End of the log as last heard. */
  logEnd = 0;
  /** Records from `next` on, decoded. */
  slots: Slot<E>[] = [];
  /** Everything below is in `slots` or was filtered by kafkajs. */
  slotsEnd = 0;
  /** Highest outbox number queued for publishing, and highest in Kafka. */
  queuedSeq = 0;
  acknowledgedSeq = 0;
  /** What of `acknowledgedSeq` the database knows. */
  storedSeq = 0;
  sweptAt = 0;
  /** An event that made the program fail: nothing from it on is handled before `heldUntil`. */
  heldOffset: number | null = null;
  heldUntil = 0;
  /** Events that are given up: they become dead letters. */
  readonly givenUp = new Map<number, Rejection>();

  constructor(partition: number) {
    this.partition = partition;
  }

  /** True when records are known to wait. */
  get backlog(): boolean {
    return this.next < this.logEnd;
  }

  /** Takes the stored progress; what is buffered stays if it still fits. */
  resume(next: number, epoch: number): void {
    const fits = this.fetchFrom >= 0 && next >= this.next && next <= this.slotsEnd;
    this.next = next;
    this.epoch = epoch;
    if (fits) this.dropBelow(next);
    else this.clear(next);
    this.status = "running";
  }

  clear(next: number): void {
    this.slots = [];
    this.slotsEnd = next;
    this.fetchFrom = next;
  }

  dropBelow(offset: number): void {
    let count = 0;
    while (count < this.slots.length && this.slots[count]!.record.offset < offset) count += 1;
    this.slots = this.slots.slice(count);
    this.slotsEnd = Math.max(this.slotsEnd, offset);
  }

  /** How many slots may be handled now: up to the held event, unless its time has come. */
  available(now: number): number {
    if (this.heldOffset === null || now >= this.heldUntil) return this.slots.length;
    const held = this.heldOffset;
    const index = this.slots.findIndex((slot) => slot.record.offset >= held);
    return index < 0 ? this.slots.length : index;
  }

  /** Where a chunk of the first `count` slots ends (exclusive). */
  endAfter(count: number): number {
    return count < this.slots.length ? this.slots[count]!.record.offset : this.slotsEnd;
  }

  /** The first `count` slots are stored. */
  advance(count: number, next: number): void {
    this.slots = count === this.slots.length ? [] : this.slots.slice(count);
    this.next = next;
    if (this.heldOffset !== null && this.heldOffset < next) this.heldOffset = null;
    for (const offset of this.givenUp.keys()) if (offset < next) this.givenUp.delete(offset);
  }
}
