import type { IdempotencyScope } from "@perkstream/merchant";
import type { Context } from "hono";
import type { Principal } from "../auth/principal.ts";
import { invalidField, type Refusal } from "../errors.ts";
import type { AppEnv } from "./context.ts";
import { canonicalJson } from "./json.ts";
import { limits } from "./limits.ts";

/** One use of an Idempotency-Key: the same scope and content get the same answer. */
export interface IdempotencyRequest {
  readonly scope: IdempotencyScope;
  /** Body and query, whatever the order of the body's keys. */
  readonly content: string;
}

export function readIdempotency(c: Context<AppEnv>, principal: Principal | null, body: unknown): IdempotencyRequest | null | Refusal {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return null;
  if (key.length < 1 || key.length > limits.idempotencyKeyChars) return invalidField("Idempotency-Key", "must have 1 to 255 characters");
  const scope = { credential: principal?.credential ?? "anybody", method: c.req.method, path: c.req.path, key };
  return { scope, content: canonicalJson([c.req.query(), body]) };
}
