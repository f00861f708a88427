import type { Answer } from "@perkstream/merchant";
import type { Context } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import { errorTable, problemOf, type Refusal } from "../errors.ts";
import type { AppEnv } from "./context.ts";
import { toJson } from "./json.ts";

export interface AnyReply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer that an earlier request with the same Idempotency-Key got. */
export class StoredAnswer {
  readonly answer: Answer;

  constructor(answer: Answer) {
    this.answer = answer;
  }
}

export function sendReply(c: Context<AppEnv>, { status, body, headers = {} }: AnyReply): Response {
  if (body === null) return c.newResponse(null, status as StatusCode, { ...headers });
  return c.newResponse(toJson(body), status as StatusCode, { ...headers, "content-type": "application/json" });
}

export function sendStored(c: Context<AppEnv>, { answer: { status, headers, body } }: StoredAnswer): Response {
  return c.newResponse(body === "" ? null : body, status as StatusCode, { ...headers });
}

export function sendProblem(c: Context<AppEnv>, refusal: Refusal): Response {
  const headers = { ...refusal.headers, "content-type": "application/problem+json" };
  return c.newResponse(toJson(problemOf(refusal, c.get("requestId"))), errorTable[refusal.code].status, headers);
}
