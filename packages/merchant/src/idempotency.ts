import type { Sql, Tx } from "@perkstream/postgres";
import { createHash } from "node:crypto";

/** How long an answer is kept for repeats. */
export const KEPT_MS = 24 * 3_600_000;

/** Whose key it is: another credential, method or path may use the same one. */
export interface IdempotencyScope {
  /** Who asks, e.g. `key:<id>` or `token:<merchant>:<sub>`. */
  readonly credential: string;
  readonly method: string;
  readonly path: string;
  readonly key: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `first`: run the request, then `finishIdempotent`. `repeat`: send this. `reused`: the key was used for another body (422). */
export type IdempotencyStart =
  | { readonly kind: "first" }
  | { readonly kind: "repeat"; readonly answer: Answer }
  | { readonly kind: "reused" };

interface StoredRow {
  readonly request_hash: Buffer;
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly body: string | null;
}

/**
 * Claims a key in the transaction of the request's effect. While another transaction runs the same request this waits for
 * its end (at most lock_timeout: 55P03, the API's 503): then it is a repeat, or the first one when the other rolled back.
 */
export async function beginIdempotent(
  tx: Tx,
  scope: IdempotencyScope,
  requestBody: string | Buffer,
  at: number,
): Promise<IdempotencyStart> {
  const hash = createHash("sha256").update(requestBody).digest();
  const now = new Date(at).toISOString();
  const claimed = await tx`
    INSERT INTO merchant.idempotency AS i (credential, method, path, key, request_hash, created_at)
    VALUES (${scope.credential}, ${scope.method}, ${scope.path}, ${scope.key}, ${hash}, ${now}::timestamptz)
    ON CONFLICT (credential, method, path, key) DO UPDATE
      SET request_hash = excluded.request_hash, created_at = excluded.created_at, status = NULL, headers = NULL, body = NULL
      WHERE i.created_at < ${new Date(at - KEPT_MS).toISOString()}::timestamptz
    RETURNING 1`;
  if (claimed.length === 1) return { kind: "first" };
  const stored = await findIdempotent(tx, scope, requestBody, at);
  if (stored.kind === "first") throw new Error("an idempotency row was committed without an answer");
  return stored;
}

/** What `beginIdempotent` would say as far as is committed, without claiming the key: `first` may still become a repeat. */
export async function findIdempotent(
  tx: Tx | Sql,
  scope: IdempotencyScope,
  requestBody: string | Buffer,
  at: number,
): Promise<IdempotencyStart> {
  const [row] = await tx<StoredRow[]>`
    SELECT request_hash, status, headers, body FROM merchant.idempotency
    WHERE credential = ${scope.credential} AND method = ${scope.method} AND path = ${scope.path} AND key = ${scope.key}
      AND created_at >= ${new Date(at - KEPT_MS).toISOString()}::timestamptz`;
  if (row === undefined || row.status === null) return { kind: "first" };
  if (!row.request_hash.equals(createHash("sha256").update(requestBody).digest())) return { kind: "reused" };
  return { kind: "repeat", answer: { status: row.status, headers: row.headers ?? {}, body: row.body ?? "" } };
}

/**
 * Stores what repeats are answered, in the same transaction. 5xx and 429 are not kept: roll back instead. An answer with a
 * secret is stored without it: pass the 409 `id_taken` that a repeat is to get.
 */
export async function finishIdempotent(tx: Tx, scope: IdempotencyScope, answer: Answer): Promise<void> {
  const headers = JSON.stringify(answer.headers);
  await tx`
    UPDATE merchant.idempotency SET status = ${answer.status}, headers = ${headers}::text::jsonb, body = ${answer.body}
    WHERE credential = ${scope.credential} AND method = ${scope.method} AND path = ${scope.path} AND key = ${scope.key}`;
}

/** Deletes what is older than a day, of idempotency and order times; to be called now and then. Returns how many rows. */
export async function forgetOld(sql: Sql, at: number): Promise<number> {
  const before = new Date(at - KEPT_MS).toISOString();
  const answers = await sql`DELETE FROM merchant.idempotency WHERE created_at < ${before}::timestamptz`;
  const times = await sql`DELETE FROM merchant.order_time WHERE answered_at < ${before}::timestamptz`;
  return answers.count + times.count;
}
