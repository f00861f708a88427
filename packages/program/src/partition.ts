import type { KafkaMessage } from "kafkajs";
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
 *                                               running ── decide throws ──► held until a time ───┤
 *                                               running ── behind the horizon ──► waiting ────────┤
 *                                               running ── schema not to be had ──► undecodable ──┘
 *
 * A held, waiting or undecodable partition fills no more than a chunk of the buffers; the other partitions go on.
 */
export type PartitionStatus = "acquiring" | "running" | "gap";

/** A record that waits for its chunk. It is decoded when its chunk begins: what lives shortly costs the collector little. */
export interface Slot<E> {
  readonly offset: number;
  readonly message: KafkaMessage;
  decoded?:
    | { readonly record: SourceRecord; readonly entry: Entry<E> }
    | { readonly record: SourceRecord; readonly deadLetter: DeadLetter };
}

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
  /** Records from `next` on. */
  slots: Slot<E>[] = [];
  /** Bytes of their values. */
  bytes = 0;
  /** Everything below is in `slots` or was filtered by kafkajs. */
  slotsEnd = 0;
  /** Highest outbox number queued for publishing, and highest in Kafka. */
  queuedSeq = 0;
  acknowledgedSeq = 0;
  /** What of `acknowledgedSeq` the database knows. */
  storedSeq = 0;
  /** On the monotonic clock, ms, as `heldUntil`. */
  sweptAt = Number.NEGATIVE_INFINITY;
  /** Nothing of it may be handled yet: another program has not come so far. */
  waiting = false;
  /** Some of it cannot be decoded while the registry is away (decoding.ts). */
  undecodable = false;
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

  /** True when its records cannot be handled now, so that they must not keep others from being fetched. */
  get isStuck(): boolean {
    return this.heldOffset !== null || this.waiting || this.undecodable;
  }

  push(slot: Slot<E>): void {
    this.slots.push(slot);
    this.bytes += sizeOf(slot);
  }

  /** Takes the stored progress; what is buffered stays if it still fits. */
  resume(next: number, epoch: number): void {
    const fits = this.fetchFrom >= 0 && next >= this.next && next <= this.slotsEnd;
    this.next = next;
    this.epoch = epoch;
    if (fits) this.#dropBelow(next);
    else this.#clear(next);
    this.#forgetBelow(next);
    this.status = "running";
  }

  #clear(next: number): void {
    this.slots = [];
    this.bytes = 0;
    this.slotsEnd = next;
    this.fetchFrom = next;
    this.heldOffset = null;
    this.waiting = false;
  }

  #dropBelow(offset: number): void {
    let count = 0;
    while (count < this.slots.length && this.slots[count]!.offset < offset) count += 1;
    this.#remove(count);
    this.slotsEnd = Math.max(this.slotsEnd, offset);
  }

  #remove(count: number): void {
    for (let i = 0; i < count; i++) this.bytes -= sizeOf(this.slots[i]!);
    this.slots = count === this.slots.length ? [] : this.slots.slice(count);
  }

  #forgetBelow(next: number): void {
    if (this.heldOffset !== null && this.heldOffset < next) this.heldOffset = null;
    for (const offset of this.givenUp.keys()) if (offset < next) this.givenUp.delete(offset);
  }

  /** How many slots may be handled now: up to the held event, unless its time has come; none while some cannot be decoded. */
  available(now: number): number {
    if (this.undecodable) return 0;
    if (this.heldOffset === null || now >= this.heldUntil) return this.slots.length;
    return this.countBelow(this.heldOffset);
  }

  /** How many slots lie below an offset. */
  countBelow(offset: number): number {
    const index = this.slots.findIndex((slot) => slot.offset >= offset);
    return index < 0 ? this.slots.length : index;
  }

  /** Where a chunk of the first `count` slots ends (exclusive). */
  endAfter(count: number): number {
    return count < this.slots.length ? this.slots[count]!.offset : this.slotsEnd;
  }

  /** The first `count` slots are stored. */
  advance(count: number, next: number): void {
    this.#remove(count);
    this.next = next;
    this.waiting = false;
    this.#forgetBelow(next);
  }
}

function sizeOf<E>({ message }: Slot<E>): number {
  return (message.value?.length ?? 0) + (message.key?.length ?? 0);
}
