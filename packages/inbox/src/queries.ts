import type { Sql } from "@perkstream/postgres";
import type { Customer } from "./customer.ts";
import { inboxTopic } from "./program.ts";
import type { Sequences, StoredSource } from "./sources.ts";

/** A notification as it is stored. `record` is the framed Avro of the topic, `storedAt` in ms since 1970. */
export interface StoredNotification {
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
  readonly storedAt: number;
  readonly record: Buffer;
  /** Acknowledged on any device. */
  readonly read: boolean;
}

interface NotificationRow {
  readonly part: number;
  readonly off: bigint;
  readonly id: string;
  readonly stored_at: Date;
  readonly record: Buffer;
  readonly read: boolean;
}

function toNotification(row: NotificationRow): StoredNotification {
  return {
    partition: row.part,
    offset: Number(row.off),
    id: row.id,
    storedAt: row.stored_at.getTime(),
    record: row.record,
    read: row.read,
  };
}

/**
 * The customer's notifications, newest first, at most `limit`; `before` is the last one of the page before.
 * An unknown customer has none.
 */
export async function listNotifications(
  sql: Sql,
  customer: Customer,
  page: { readonly limit: number; readonly before?: { readonly partition: number; readonly offset: number } },
): Promise<StoredNotification[]> {
  const before = page.before ?? { partition: 2_147_483_647, offset: Number.MAX_SAFE_INTEGER };
  const rows = await sql<NotificationRow[]>`
    SELECT n.part, n.off, n.id, n.stored_at, n.record, coalesce(n.off <= a.acked, false) AS read
    FROM inbox.account a JOIN inbox.notification n USING (acct)
    WHERE a.merchant = ${customer.merchant}::uuid AND a.customer_id = ${customer.customerId}
      AND (n.part, n.off) < (${before.partition}::int4, ${before.offset}::int8)
    ORDER BY n.part DESC, n.off DESC LIMIT ${page.limit}::int4`;
  return rows.map(toNotification);
}

/** The notifications with `after < offset < before`, oldest first, at most `limit`. */
export async function notificationsBetween(
  sql: Sql,
  customer: Customer,
  range: { readonly partition: number; readonly after: number; readonly before: number; readonly limit: number },
): Promise<StoredNotification[]> {
  const rows = await sql<NotificationRow[]>`
    SELECT n.part, n.off, n.id, n.stored_at, n.record, coalesce(n.off <= a.acked, false) AS read
    FROM inbox.account a JOIN inbox.notification n USING (acct)
    WHERE a.merchant = ${customer.merchant}::uuid AND a.customer_id = ${customer.customerId}
      AND n.part = ${range.partition}::int4 AND n.off > ${range.after}::int8 AND n.off < ${range.before}::int8
    ORDER BY n.off LIMIT ${range.limit}::int4`;
  return rows.map(toNotification);
}

/** What was not acknowledged and lies before offset `before`: the newest `limit` of it, oldest first. */
export async function unreadNotifications(
  sql: Sql,
  customer: Customer,
  range: { readonly partition: number; readonly before: number; readonly limit: number },
): Promise<StoredNotification[]> {
  const rows = await sql<NotificationRow[]>`
    SELECT n.part, n.off, n.id, n.stored_at, n.record, false AS read
    FROM inbox.account a JOIN inbox.notification n USING (acct)
    WHERE a.merchant = ${customer.merchant}::uuid AND a.customer_id = ${customer.customerId}
      AND n.part = ${range.partition}::int4 AND n.off > coalesce(a.acked, -1) AND n.off < ${range.before}::int8
    ORDER BY n.off DESC LIMIT ${range.limit}::int4`;
  return rows.map(toNotification).reverse();
}

/** What a connection must know to begin: the customer's last acknowledged offset and the partition's last trimmed one. */
export interface InboxState {
  readonly acked: number | null;
  readonly trimmed: number | null;
}

export async function inboxState(sql: Sql, customer: Customer, partition: number): Promise<InboxState> {
  const [row] = await sql<{ acked: bigint | null; trimmed: bigint | null }[]>`
    SELECT (SELECT acked FROM inbox.account
            WHERE merchant = ${customer.merchant}::uuid AND customer_id = ${customer.customerId}) AS acked,
           (SELECT off FROM inbox.trim WHERE part = ${partition}::int4) AS trimmed`;
  return { acked: numberOrNull(row?.acked), trimmed: numberOrNull(row?.trimmed) };
}

/** The next offset that the inbox will take, per partition. */
export async function inboxProgress(sql: Sql, topic = inboxTopic): Promise<Map<number, number>> {
  const rows = await sql<{ part: number; next_off: bigint }[]>`
    SELECT part, next_off FROM inbox.progress WHERE topic = ${topic}`;
  return new Map(rows.map((row) => [row.part, Number(row.next_off)]));
}

/** Where a live reader starts: the stored position and sequences of a partition, of one snapshot (one statement). */
export interface InboxPosition {
  readonly nextOffset: number;
  readonly sources: readonly StoredSource[];
}

export async function inboxPositions(sql: Sql, topic = inboxTopic): Promise<Map<number, InboxPosition>> {
  const rows = await sql<{ part: number; next_off: bigint; sources: [string, number, Sequences][] | null }[]>`
    SELECT p.part, p.next_off,
      (SELECT jsonb_agg(jsonb_build_array(s.program, s.source_part, s.sequences)) FROM inbox.source s WHERE s.part = p.part) AS sources
    FROM inbox.progress p WHERE p.topic = ${topic}`;
  return new Map(
    rows.map((row) => [
      row.part,
      {
        nextOffset: Number(row.next_off),
        sources: (row.sources ?? []).map(([program, sourcePart, sequences]) => ({ program, sourcePart, sequences })),
      },
    ]),
  );
}

function numberOrNull(value: bigint | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
