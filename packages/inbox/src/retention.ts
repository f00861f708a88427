import type { Tx } from "@perkstream/postgres";
import type { SweepOutcome, SweepRequest } from "@perkstream/program";

/**
 * Deletes what was stored before `before` (ms), at most `request.limit` rows of one partition, and notes the highest
 * offset that went: a cursor below it is too old. Time here is the inbox's own, so a merchant's sweep does nothing.
 */
export async function sweepOld(tx: Tx, request: SweepRequest, before: number): Promise<SweepOutcome> {
  if (request.scope !== null) return { notices: [], applied: [], more: false };
  const [row] = await tx<{ gone: bigint; off: bigint | null }[]>`
    WITH old AS (
      SELECT acct, part, off FROM inbox.notification
      WHERE part = ${request.partition}::int4 AND stored_at < ${new Date(before).toISOString()}::timestamptz
      ORDER BY stored_at LIMIT ${request.limit}::int4
    ), gone AS (
      DELETE FROM inbox.notification n USING old o
      WHERE n.acct = o.acct AND n.part = o.part AND n.off = o.off RETURNING n.off
    )
    SELECT count(*) AS gone, max(off) AS off FROM gone`;
  if (row?.off == null) return { notices: [], applied: [], more: false };
  await tx`
    INSERT INTO inbox.trim (part, off) VALUES (${request.partition}, ${row.off})
    ON CONFLICT (part) DO UPDATE SET off = greatest(inbox.trim.off, EXCLUDED.off)`;
  return { notices: [], applied: [], more: Number(row.gone) >= request.limit };
}
