import type { Sql } from "@perkstream/postgres";

export interface StoredDeadLetter {
  readonly program: string;
  readonly id: string;
  readonly topic: string;
  readonly part: number;
  readonly off: bigint;
  readonly recordAt: Date;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Record<string, string>;
  readonly reason: string;
  readonly message: string;
  readonly createdAt: Date;
  /** Microseconds since 1970, as text: exact, for the cursor. */
  readonly createdUs: string;
  readonly redrivenAt: Date | null;
}

/** Where a dead letter stands in the list. */
export type DeadLetterPosition = readonly [createdUs: string, off: number, program: string, id: string];

export interface DeadLetterPage {
  /** Null: those that belong to no known merchant. */
  readonly merchantId: string | null;
  readonly programs: readonly string[];
  readonly reason: string | null;
  readonly after: DeadLetterPosition | null;
  readonly limit: number;
}

/** Newest first over the programs' tables; those of one chunk, which have one time, by offset. */
export async function readDeadLetters(sql: Sql, page: DeadLetterPage): Promise<StoredDeadLetter[]> {
  const parameters = [page.merchantId, page.reason, page.limit, ...(page.after ?? [null, null, null, null])];
  const own =
    page.merchantId === null
      ? "NOT EXISTS (SELECT 1 FROM merchant.merchant m WHERE m.merchant_id = d.scope) AND $1::uuid IS NULL"
      : "d.scope = $1::uuid";
  const each = page.programs.map(
    (
      program,
    ) => `(SELECT '${program}' AS program, d.id, d.topic, d.part, d.off, d.record_at, d.key, d.value, d.headers, d.reason, d.message, d.created_at, d.redriven_at
      FROM ${program}.dead_letter d WHERE ${own} AND ($2::text IS NULL OR d.reason = $2)
        AND ($4::int8 IS NULL OR (d.created_at, d.off, '${program}', d.id) < ('epoch'::timestamptz + $4::int8 * interval '1 microsecond', $5::int8, $6::text, $7::uuid))
      ORDER BY d.created_at DESC, d.off DESC, d.id DESC LIMIT $3)`,
  );
  return sql.unsafe<StoredDeadLetter[]>(
    `SELECT program, id, topic, part, off, record_at AS "recordAt", key, value, headers, reason, message, created_at AS "createdAt",
       (extract(epoch FROM created_at) * 1000000)::int8::text AS "createdUs", redriven_at AS "redrivenAt"
     FROM (${each.join(" UNION ALL ")}) AS d ORDER BY created_at DESC, off DESC, program DESC, id DESC LIMIT $3`,
    parameters,
  );
}
