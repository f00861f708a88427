import { beginIdempotent, findIdempotent, finishIdempotent, type IdempotencyStart, type Merchant, writeAudit } from "@perkstream/merchant";
import type { Sql, Tx } from "@perkstream/postgres";
import { withRemedies } from "@perkstream/program";
import type { Deps } from "./deps.ts";
import { errorTable, isRepeatable, problemOf, refuse, Refusal } from "./errors.ts";
import type { IdempotencyRequest } from "./http/idempotency.ts";
import { toJson } from "./http/json.ts";
import { type AnyReply, StoredAnswer } from "./http/send.ts";

/** What of a call a write needs. */
export interface WriteCall {
  readonly deps: Deps;
  readonly requestId: string;
  readonly idempotency: IdempotencyRequest | null;
}

export interface WriteOptions<R> {
  /** What repeats are answered instead of a reply that holds a secret. */
  readonly repeatAs?: (reply: R) => Refusal;
  /** Another pool than that of the other statements. */
  readonly sql?: Sql;
}

const MAX_ATTEMPTS = 4;

/** `write` for an effect that locks every partition. */
export function writeInTurn<R extends AnyReply>(call: WriteCall, effect: (tx: Tx) => Promise<R | Refusal>) {
  return write(call, effect, { sql: call.deps.editingSql });
}

/**
 * Runs the effect of a request in one transaction, at most once per Idempotency-Key.
 *
 *   BEGIN ─► claim the key ─► effect ─┬─ reply or 409 ─► store the answer ─► COMMIT
 *                                     └─ other refusal, exception ─► ROLLBACK (the key is free again)
 *
 * A 409 commits, since what was due by the command's time stays applied; 400, 404 and 412 touch nothing.
 * Deadlocks and races are tried again from the start.
 */
export async function write<R extends AnyReply>(
  call: WriteCall,
  effect: (tx: Tx) => Promise<R | Refusal>,
  options: WriteOptions<R> = {},
): Promise<R | Refusal | StoredAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await withRemedies(options.sql ?? call.deps.sql, () => attemptWrite(call, effect, options));
    } catch (error) {
      if (error instanceof RolledBack) return error.refusal;
      if (attempt === MAX_ATTEMPTS || !isRepeatable(error)) throw error;
    }
  }
}

/** Carries a refusal out of a transaction that must leave no trace. */
class RolledBack extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

async function attemptWrite<R extends AnyReply>(
  { deps, requestId, idempotency }: WriteCall,
  effect: (tx: Tx) => Promise<R | Refusal>,
  { sql = deps.sql, repeatAs }: WriteOptions<R>,
): Promise<R | Refusal | StoredAnswer> {
  const run = async (tx: Tx): Promise<R | Refusal | StoredAnswer> => {
    if (idempotency === null) return committable(await effect(tx));
    const known = knownAnswer(await beginIdempotent(tx, idempotency.scope, idempotency.content, deps.clock()));
    if (known instanceof Refusal) throw new RolledBack(known);
    if (known !== null) return known;
    const outcome = committable(await effect(tx));
    const kept = repeatAs === undefined || outcome instanceof Refusal ? outcome : repeatAs(outcome);
    await finishIdempotent(tx, idempotency.scope, answerOf(kept, requestId));
    return outcome;
  };
  const result = await sql.begin(async (tx) => {
    const outcome = await run(tx);
    deps.crash?.("command");
    return outcome;
  });
  deps.crash?.("command-commit");
  return result as R | Refusal | StoredAnswer;
}

/**
 * What the Idempotency-Key of a request is answered already, or null. For what must be done before the key is claimed, since
 * it takes transactions of its own: it is not done for a repeat, nor for a key of another body.
 */
export async function findAnswer({ deps, idempotency }: WriteCall): Promise<StoredAnswer | Refusal | null> {
  if (idempotency === null) return null;
  return knownAnswer(await findIdempotent(deps.sql, idempotency.scope, idempotency.content, deps.clock()));
}

function knownAnswer(start: IdempotencyStart): StoredAnswer | Refusal | null {
  if (start.kind === "repeat") return new StoredAnswer(start.answer);
  return start.kind === "reused" ? refuse("idempotency_key_reused", "this key was used with another body") : null;
}

function committable<R>(outcome: R | Refusal): R | Refusal {
  if (outcome instanceof Refusal && errorTable[outcome.code].status !== 409) throw new RolledBack(outcome);
  return outcome;
}

function answerOf(outcome: AnyReply | Refusal, requestId: string) {
  if (outcome instanceof Refusal) {
    const problem = problemOf(outcome, requestId);
    return { status: problem.status, headers: { "content-type": "application/problem+json" }, body: toJson(problem) };
  }
  const { status, body, headers = {} } = outcome;
  if (body === null) return { status, headers, body: "" };
  return { status, headers: { ...headers, "content-type": "application/json" }, body: toJson(body) };
}

/** What was done, to what, and how it was before and after; in the transaction of the change, by the real clock. */
export async function audit(
  tx: Tx,
  call: { readonly deps: Deps; readonly requestId: string },
  by: { readonly merchant: Merchant; readonly actor: string },
  entry: { readonly action: string; readonly target: string | null; readonly before: unknown; readonly after: unknown },
): Promise<void> {
  await writeAudit(tx, by.merchant.id, { at: call.deps.clock(), actor: by.actor, requestId: call.requestId, ...entry });
}
