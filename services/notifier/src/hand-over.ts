import type { JsonRecord, RecordDecoder } from "@perkstream/contracts";
import type { Cursor, Customer, InboxState, StoredNotification } from "@perkstream/inbox";
import type { Client } from "./client.ts";
import type { Limits } from "./limits.ts";
import { noteOf } from "./notes.ts";
import type { CloseReason } from "./protocol/close.ts";
import type { Effect } from "./protocol/connection.ts";

/** What the hand-over reads. Every call may reject on an outage. */
export interface InboxReader {
  /** True when the inbox has stored everything before `next`; false after `timeoutMs`. */
  reached(partition: number, next: number, timeoutMs: number): Promise<boolean>;
  state(customer: Customer, partition: number): Promise<InboxState>;
  /** `after < offset < before`, oldest first. */
  between(customer: Customer, range: { partition: number; after: number; before: number; limit: number }): Promise<StoredNotification[]>;
  /** The newest that are not acknowledged, before `before`, oldest first. */
  unread(customer: Customer, range: { partition: number; before: number; limit: number }): Promise<StoredNotification[]>;
}

export interface LivePlace {
  /** The offset that the live path takes next. */
  next(partition: number): number | undefined;
  /** True when the live path has taken `offset`; false after `timeoutMs`. */
  passed(partition: number, offset: number, timeoutMs: number): Promise<boolean>;
  /** The end of the partition, asked of the broker. */
  end(partition: number): Promise<number>;
}

export interface HandOverPorts {
  readonly inbox: InboxReader;
  readonly live: LivePlace;
  readonly decoder: RecordDecoder<JsonRecord>;
  readonly limits: Limits;
  /** Executes what the connection wants. */
  readonly run: (client: Client, effects: readonly Effect[]) => void;
  readonly onWelcome: (client: Client) => void;
  /** What was missed could not be read. */
  readonly onOutage: (error: unknown) => void;
}

const pageRows = 200;
/** Missed notes are sent as the socket takes them, this many bytes ahead. */
const aheadBytes = 32 * 1_024;

/** Why a hand-over cannot be done: the connection closes for it. */
class HandOverError extends Error {
  readonly reason: CloseReason;

  constructor(reason: CloseReason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Joins what is stored and what is live, without a gap and without a repeat.
 *
 *   hello ─► L := live position, from here on live notes are held
 *         ─► the inbox has everything before L
 *         ─► welcome, rows in (cursor, L), what was held, live
 *
 * A cursor at or above L was given by an instance that is ahead: then nothing is missing, and the live path is waited
 * for to pass it. The caller has put the connection into the online map and read L in the same step.
 * @returns the reason to close, or null when the connection is live (or gone)
 */
export async function handOver(
  ports: HandOverPorts,
  client: Client,
  cursor: Cursor | null,
  liveNext: number | undefined,
): Promise<CloseReason | null> {
  try {
    if (liveNext === undefined) throw new HandOverError("overloaded");
    const deadline = performance.now() + ports.limits.handOverMs;
    const left = () => Math.max(0, deadline - performance.now());
    if (cursor !== null && cursor.offset >= liveNext) await awaitLive(ports, client, cursor, left);
    const start = await within(left(), begin(ports, client, cursor, liveNext, left));
    if (start === null) return null;
    await sendRows(ports, client, start.rows, start.next, liveNext);
    for (let held = client.connection.nextHeld(); held !== undefined; held = client.connection.nextHeld()) {
      ports.run(client, held);
      await room(ports, client);
    }
    return null;
  } catch (error) {
    if (error instanceof HandOverError) return error.reason;
    ports.onOutage(error);
    return "overloaded";
  }
}

async function awaitLive({ live }: HandOverPorts, client: Client, cursor: Cursor, left: () => number): Promise<void> {
  const { partition } = client.connection.identity;
  if (cursor.offset >= (await within(left(), live.end(partition)))) throw new HandOverError("bad_frame");
  if (!(await live.passed(partition, cursor.offset, left()))) throw new HandOverError("overloaded");
}

interface Start {
  readonly rows: StoredNotification[];
  /** Reads the rows after the given offset; null when `rows` are all. */
  readonly next: ((after: number) => Promise<StoredNotification[]>) | null;
}

/** Decides where the flow starts and welcomes. Null when the connection has gone meanwhile. */
async function begin(
  ports: HandOverPorts,
  client: Client,
  cursor: Cursor | null,
  before: number,
  left: () => number,
): Promise<Start | null> {
  const { inbox, limits, run, onWelcome } = ports;
  const { customer, connection } = client;
  const { partition } = connection.identity;
  if (!(await inbox.reached(partition, before, left()))) throw new HandOverError("overloaded");
  const { acked, trimmed } = await inbox.state(customer, partition);
  const resumed = cursor !== null && cursor.offset >= (trimmed ?? -1);
  const range = { partition, before };
  const next = (after: number) => inbox.between(customer, { ...range, after, limit: pageRows });
  const rows = resumed ? await next(cursor.offset) : await inbox.unread(customer, { ...range, limit: limits.unread });
  await ports.decoder.prepare(rows.map((row) => row.record));
  if (connection.phase !== "joining") return null;
  run(client, connection.welcome(resumed ? cursor.offset : startOf(rows, limits.unread, acked, trimmed), resumed));
  onWelcome(client);
  return { rows, next: resumed ? next : null };
}

/** Just before the first unread one that is sent; when they are all sent, where the last ack or the trimming ended. */
function startOf(rows: readonly StoredNotification[], limit: number, acked: number | null, trimmed: number | null): number {
  const first = rows[0];
  return rows.length === limit && first !== undefined ? first.offset - 1 : Math.max(acked ?? -1, trimmed ?? -1);
}

async function sendRows(
  ports: HandOverPorts,
  client: Client,
  first: StoredNotification[],
  next: Start["next"],
  before: number,
): Promise<void> {
  for (let rows = first; rows.length > 0;) {
    for (const row of rows) {
      if (!client.connection.online) return;
      const note = noteOf(ports.decoder, row.partition, row.offset, row.record);
      if (note !== null) ports.run(client, client.connection.row(row.offset, note.frame));
      await room(ports, client);
    }
    const last = rows.at(-1)!.offset;
    if (next === null || !client.connection.online || rows.length < pageRows || last >= before - 1) return;
    rows = await within(ports.limits.handOverMs, next(last));
    await ports.decoder.prepare(rows.map((row) => row.record));
  }
}

/** Waits until the socket has taken most of what was sent; a client that takes nothing for too long is too slow. */
async function room({ limits }: HandOverPorts, client: Client): Promise<void> {
  const deadline = performance.now() + limits.handOverMs;
  while (client.connection.online && client.socket.buffered() > aheadBytes) {
    const waitMs = deadline - performance.now();
    if (waitMs <= 0) throw new HandOverError("too_slow");
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      client.onDrain = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    client.onDrain = null;
  }
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new HandOverError("overloaded")), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
