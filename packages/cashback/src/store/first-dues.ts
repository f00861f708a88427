import { arrayLiteral, type Tx } from "@perkstream/postgres";
import { type DuePlace, rank } from "../domain/index.ts";
import type { DueKey, Watermarks } from "./lots.ts";

/*
 * A customer of whom more is due at one instant than one step of a sweep may load: the first lots of it, in the order of what is due
 * (domain/due.ts). Reservations are not counted: those that lapse are always loaded, with their lots.
 */

interface FirstDues {
  /** What comes before it is wholly in `lots`. */
  readonly before: DuePlace;
  readonly lots: readonly number[];
}

/** The lots of the first `limit` dues, and the place of the next one; null when there are no more than that. */
export async function firstDues(tx: Tx, key: DueKey & { readonly lastAsOf: number }, limit: number): Promise<FirstDues | null> {
  const { acct, until, announceUntil, lastAsOf } = key;
  const rows = await tx.unsafe<{ lot_id: bigint; at: Date; rank: DuePlace["rank"] }[]>(
    `SELECT lot_id, greatest(moment, $2) AS at, rank FROM (
       SELECT l.lot_id, l.available_at AS moment, ${rank.holdEnds} AS rank FROM cashback.lot l
         WHERE l.acct = $1 AND l.pending > 0 AND l.available_at <= $3
       UNION ALL
       SELECT l.lot_id, l.expires_at - ($4::timestamptz - $3::timestamptz), ${rank.notice} FROM cashback.lot l
         WHERE l.acct = $1 AND l.available > 0 AND NOT l.noticed AND $4 > $3 AND l.expires_at > $2 AND l.expires_at <= $4
       UNION ALL
       SELECT l.lot_id, l.expires_at, ${rank.expiry} FROM cashback.lot l WHERE l.acct = $1 AND l.available > 0 AND l.expires_at <= $3
     ) AS d ORDER BY at, rank, lot_id LIMIT $5`,
    [acct, instant(lastAsOf), instant(until), instant(announceUntil), limit + 1],
    { prepare: true },
  );
  const next = rows[limit];
  if (next === undefined) return null;
  return {
    before: { at: next.at.getTime(), rank: next.rank, order: Number(next.lot_id) },
    lots: [...new Set(rows.slice(0, limit).map((row) => Number(row.lot_id)))],
  };
}

/** Only these lots of a customer are loaded. */
export interface CutKey {
  readonly acct: number;
  readonly until: number;
  readonly lots: readonly number[];
}

/** When something is due next of what is not loaded. */
export async function watermarksWithout(tx: Tx, keys: readonly CutKey[]): Promise<Map<number, Watermarks>> {
  const found = new Map<number, Watermarks>();
  for (const { acct, until, lots } of keys) {
    const [row] = await tx.unsafe<{ due_at: Date | null; unannounced_at: Date | null }[]>(
      `SELECT
         least((SELECT min(l.available_at) FROM cashback.lot l WHERE l.acct = $1 AND l.pending > 0 AND NOT l.lot_id = ANY ($3::int8[])),
               (SELECT min(l.expires_at) FROM cashback.lot l WHERE l.acct = $1 AND l.available > 0 AND NOT l.lot_id = ANY ($3::int8[])),
               (SELECT min(p.expires_at) FROM cashback.redemption p WHERE p.acct = $1 AND p.status = 1 AND p.expires_at > $2)) AS due_at,
         (SELECT min(l.expires_at) FROM cashback.lot l
            WHERE l.acct = $1 AND l.available > 0 AND NOT l.noticed AND NOT l.lot_id = ANY ($3::int8[])) AS unannounced_at`,
      [acct, instant(until), arrayLiteral(lots)],
      { prepare: true },
    );
    const at = (value: Date | null | undefined) => value?.getTime() ?? Number.POSITIVE_INFINITY;
    found.set(acct, { dueAt: at(row?.due_at), unannouncedAt: at(row?.unannounced_at) });
  }
  return found;
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
