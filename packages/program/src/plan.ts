import type { Partition, Slot } from "./partition.ts";
import type { DeadLetter, Entry } from "./program.ts";
import type { PartitionChunk } from "./transaction.ts";

/** What a chunk takes of one partition. */
export interface Planned<E> {
  readonly partition: Partition<E>;
  readonly slots: readonly Slot<E>[];
  readonly endOffset: number;
}

export interface PlanBounds {
  readonly events: number;
  readonly bytes: number;
  /** On the monotonic clock, as `heldUntil`. */
  readonly now: number;
}

/** Takes what waits, partition by partition, beginning with the `first`; bounded by events and bytes, but at least one event. */
export function planChunk<E>(running: readonly Partition<E>[], first: number, { events, bytes, now }: PlanBounds): Planned<E>[] {
  const planned: Planned<E>[] = [];
  let room = events;
  let byteRoom = bytes;
  for (let i = 0; i < running.length && room > 0 && byteRoom > 0; i++) {
    const partition = running[(i + first) % running.length]!;
    const bound = Math.min(partition.available(now), room);
    let count = 0;
    while (count < bound && byteRoom > 0) byteRoom -= partition.slots[count++]!.message.value?.length ?? 0;
    const endOffset = partition.endAfter(count);
    if (endOffset <= partition.next) continue;
    planned.push({ partition, slots: partition.slots.slice(0, count), endOffset });
    room -= count;
  }
  return planned;
}

/** Cuts what was planned at the offsets (exclusive) up to which it may be handled. A partition that is left with nothing waits. */
export function cutAt<E>(planned: readonly Planned<E>[], horizon: ReadonlyMap<number, number>): Planned<E>[] {
  return planned.flatMap((plan) => {
    const { partition } = plan;
    const until = horizon.get(partition.partition);
    if (until === undefined || until >= plan.endOffset) return plan;
    const count = plan.slots.findIndex((slot) => slot.offset >= until);
    const endOffset = Math.min(until, partition.endAfter(count < 0 ? plan.slots.length : count));
    partition.waiting = endOffset <= partition.next;
    return partition.waiting ? [] : { partition, slots: count < 0 ? plan.slots : plan.slots.slice(0, count), endOffset };
  });
}

/** Part of a partition up to an offset (exclusive), among which an event that cannot be stored is looked for. */
export interface Suspect<E> {
  readonly partition: Partition<E>;
  readonly endOffset: number;
}

/** What is there now of suspects, as a chunk. */
export function planSuspects<E>(suspects: readonly Suspect<E>[], now: number): Planned<E>[] {
  return suspects.flatMap(({ partition, endOffset }) => {
    const count = Math.min(partition.countBelow(endOffset), partition.available(now));
    const end = Math.min(endOffset, partition.endAfter(count));
    return partition.status !== "running" || end <= partition.next
      ? []
      : { partition, slots: partition.slots.slice(0, count), endOffset: end };
  });
}

/** The two halves of a chunk that failed; null when it has fewer than two events. */
export function halves<E>(failed: readonly Planned<E>[]): [Suspect<E>[], Suspect<E>[]] | null {
  const total = failed.reduce((sum, { slots }) => sum + slots.length, 0);
  if (total < 2) return null;
  let left = Math.ceil(total / 2);
  const first: Suspect<E>[] = [];
  const second: Suspect<E>[] = [];
  for (const { partition, slots, endOffset } of failed) {
    const cut = slots[left];
    if (left > 0) first.push({ partition, endOffset: cut === undefined ? endOffset : cut.offset });
    if (cut !== undefined) second.push({ partition, endOffset });
    left = Math.max(0, left - slots.length);
  }
  return [first, second];
}

/** The events of what was planned, by partition. */
export function entriesOf<E>(planned: readonly Planned<E>[]): Map<number, Entry<E>[]> {
  return new Map(
    planned.map(({ partition, slots }) => [
      partition.partition,
      slots.flatMap(({ decoded }) => (decoded !== undefined && "entry" in decoded ? decoded.entry : [])),
    ]),
  );
}

/** What a transaction is given: events and dead letters, those that were given up among them. */
export function toChunk<E>({ partition, slots, endOffset }: Planned<E>): PartitionChunk<E> {
  const entries: Entry<E>[] = [];
  const deadLetters: DeadLetter[] = [];
  for (const { offset, decoded } of slots) {
    if (decoded === undefined) throw new Error(`offset ${offset} was planned and not decoded`);
    const givenUp = partition.givenUp.get(offset);
    if ("deadLetter" in decoded) deadLetters.push(decoded.deadLetter);
    else if (givenUp !== undefined) deadLetters.push({ record: decoded.record, scope: decoded.entry.scope, ...givenUp });
    else entries.push(decoded.entry);
  }
  return { partition: partition.partition, nextOffset: partition.next, endOffset, epoch: partition.epoch, entries, deadLetters };
}
