import { inboxTopic } from "@perkstream/inbox";
import type { Snapshot } from "@perkstream/verify";
import type { VerifiedProgram } from "./options.ts";

/** What of the notifications cannot be in the inbox yet, or any more. */
export interface InboxState {
  /** `program/partition` → how many were published and not stored by the inbox yet: they are only in Kafka. */
  readonly onTheirWay: ReadonlyMap<string, number>;
  /** Partitions of which retention took some → when the oldest that is left was stored (ms; Infinity: none is left). */
  readonly trimmed: ReadonlyMap<number, number>;
}

export async function readInboxState(snapshot: Snapshot, programs: readonly VerifiedProgram[]): Promise<InboxState> {
  return { onTheirWay: await onTheirWay(snapshot, programs), trimmed: await trimmed(snapshot) };
}

async function onTheirWay(snapshot: Snapshot, programs: readonly VerifiedProgram[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const program of programs) {
    // Sequences count up through all epochs of a source.
    const rows = await snapshot.tx.unsafe<{ part: number; count: bigint }[]>(
      `SELECT p.part, greatest(p.out_seq - s.seen - (SELECT count(*) FROM ${program}.outbox o WHERE o.part = p.part AND o.seq > s.seen), 0)::int8 AS count
       FROM ${program}.progress p CROSS JOIN LATERAL (
         SELECT coalesce(max((e->>1)::int8), 0) AS seen FROM inbox.source i CROSS JOIN jsonb_array_elements(i.sequences) AS e
         WHERE i.program = $1 AND i.source_part = p.part) AS s`,
      [program],
    );
    for (const { part, count } of rows) if (count > 0n) found.set(`${program}/${part}`, Number(count));
  }
  return found;
}

async function trimmed(snapshot: Snapshot): Promise<Map<number, number>> {
  const rows = await snapshot.tx.unsafe<{ part: number; oldest: Date | null }[]>(
    `SELECT t.part, (SELECT min(n.stored_at) FROM inbox.notification n WHERE n.part = t.part) AS oldest
     FROM inbox.trim t JOIN inbox.progress p ON p.part = t.part AND p.topic = $1`,
    [inboxTopic],
  );
  return new Map(rows.map(({ part, oldest }) => [part, oldest?.getTime() ?? Number.POSITIVE_INFINITY]));
}
