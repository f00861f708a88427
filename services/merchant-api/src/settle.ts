import { setTimeout as sleep } from "node:timers/promises";
import { topics } from "@perkstream/contracts";
import { inboxProgress } from "@perkstream/inbox";
import type { Sql } from "@perkstream/postgres";
import { programs } from "./composition.ts";
import type { OrderLog, Position } from "./kafka/order-log.ts";
import { readPositions } from "./programs.ts";

export interface SettleRequest {
  readonly sql: Sql;
  readonly orderLog: OrderLog;
  /** Offsets of orders.v1 that every program must have handled. */
  readonly positions: readonly Position[];
  /** What else must be done before outboxes are looked at: null when it is, else what is behind. */
  readonly also: () => Promise<string | null>;
  readonly timeoutMs: number;
}

const FIRST_WAIT_MS = 10;
const MAX_WAIT_MS = 150;

/**
 * Waits until everything that was asked before the call is visible everywhere:
 *
 *   handled by all programs ─► rules applied ─► [out_seq noted] ─► published ─► [end of notifications.v1 noted] ─► in the inbox
 *
 * What is noted at each arrow bounds the wait: it does not follow what comes after the call for ever.
 * @returns null when settled, else what is behind
 */
export async function settle(request: SettleRequest): Promise<string | null> {
  const deadline = performance.now() + request.timeoutMs;
  const handled = await until(deadline, async () => (await behindPositions(request)) ?? (await request.also()));
  if (handled !== null) return handled;
  const outboxes = await noteOutboxes(request.sql);
  const published = await until(deadline, () => behindOutboxes(request.sql, outboxes));
  if (published !== null) return published;
  const ends = await request.orderLog.ends(topics.notifications);
  return until(deadline, () => behindInbox(request.sql, ends));
}

/** Asks again until the answer is null or the time is over; waits grow, so that a short wait is noticed soon. */
export async function until(deadline: number, ask: () => Promise<string | null>): Promise<string | null> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, MAX_WAIT_MS)) {
    const behind = await ask();
    const leftMs = deadline - performance.now();
    if (behind === null || leftMs <= 0) return behind;
    await sleep(Math.min(waitMs, leftMs));
  }
}

async function behindPositions({ sql, positions }: SettleRequest): Promise<string | null> {
  if (positions.length === 0) return null;
  for (const program of programs) {
    const next = new Map((await readPositions(sql, program)).map((row) => [row.partition, row.nextOffset]));
    const behind = positions.find(({ partition, offset }) => (next.get(partition) ?? 0) <= offset);
    if (behind !== undefined)
      return `${program} is at ${next.get(behind.partition) ?? 0} of partition ${behind.partition}, before ${behind.offset}`;
  }
  return null;
}

type Outboxes = ReadonlyMap<string, number>;

async function noteOutboxes(sql: Sql): Promise<Outboxes> {
  const noted = new Map<string, number>();
  for (const program of programs) {
    for (const row of await readPositions(sql, program)) noted.set(`${program}/${row.partition}`, row.outSeq);
  }
  return noted;
}

async function behindOutboxes(sql: Sql, outboxes: Outboxes): Promise<string | null> {
  for (const program of programs) {
    const rows = await readPositions(sql, program);
    const behind = rows.find((row) => row.published < (outboxes.get(`${program}/${row.partition}`) ?? 0));
    if (behind !== undefined)
      return `${program} has published ${behind.published} of ${behind.outSeq} notifications of partition ${behind.partition}`;
  }
  return null;
}

async function behindInbox(sql: Sql, ends: ReadonlyMap<number, number>): Promise<string | null> {
  const progress = await inboxProgress(sql);
  for (const [partition, end] of ends) {
    const next = progress.get(partition) ?? 0;
    if (next < end) return `the inbox is at ${next} of ${end} in partition ${partition} of ${topics.notifications}`;
  }
  return null;
}
