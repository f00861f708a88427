import { RegistryError } from "@perkstream/contracts";
import { classify } from "@perkstream/program";

/**
 * The closed list of error codes, the same in answers, OpenAPI and the reference page.
 * `retryable` means: the same request may succeed later without a change.
 */
export const errorTable = {
  invalid_request: { status: 400, retryable: false, title: "The request does not fit its schema" },
  unauthenticated: { status: 401, retryable: false, title: "No credentials, or they do not hold" },
  forbidden: { status: 403, retryable: false, title: "The credentials do not allow this" },
  not_found: { status: 404, retryable: false, title: "Not found" },
  insufficient_balance: { status: 409, retryable: false, title: "The available balance is too low" },
  not_reserved: { status: 409, retryable: false, title: "The redemption is not reserved" },
  no_such_level: { status: 409, retryable: false, title: "There is no level in that direction" },
  unknown_level: { status: 409, retryable: false, title: "The ladder has no such level" },
  not_pinned: { status: 409, retryable: false, title: "The customer is not pinned" },
  not_draft: { status: 409, retryable: false, title: "Only a draft can be deleted" },
  invalid_transition: { status: 409, retryable: false, title: "The status cannot change that way" },
  currency_fixed: { status: 409, retryable: false, title: "The currency is fixed once an order was counted" },
  id_taken: { status: 409, retryable: false, title: "The id is taken" },
  stale_version: { status: 412, retryable: false, title: "The version is not the current one" },
  too_large: { status: 413, retryable: false, title: "The body is too large" },
  unsupported_media_type: { status: 415, retryable: false, title: "The body must be application/json" },
  idempotency_key_reused: { status: 422, retryable: false, title: "The idempotency key was used with another body" },
  precondition_required: { status: 428, retryable: false, title: "If-Match is required" },
  rate_limited: { status: 429, retryable: true, title: "Too many requests" },
  internal: { status: 500, retryable: false, title: "Internal error" },
  unavailable: { status: 503, retryable: true, title: "Temporarily unavailable" },
  not_settled: { status: 504, retryable: true, title: "Not settled in time" },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>;

export type ErrorCode = keyof typeof errorTable;

export interface FieldError {
  /** Dotted path of the field, such as `lines.0.netMinor`; empty for the whole body. */
  readonly path: string;
  readonly message: string;
}

/** A business outcome that answers a problem document: a value, not an exception. */
export class Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, detail: string, errors: readonly FieldError[] = [], headers: Readonly<Record<string, string>> = {}) {
    this.code = code;
    this.detail = detail;
    this.errors = errors;
    this.headers = headers;
  }
}

export function refuse(code: ErrorCode, detail: string, errors?: readonly FieldError[]): Refusal {
  return new Refusal(code, detail, errors);
}

export function invalidField(path: string, message: string): Refusal {
  return new Refusal("invalid_request", `${path}: ${message}`, [{ path, message }]);
}

/** The body of `application/problem+json` (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly requestId: string;
  readonly retryable: boolean;
  readonly errors: readonly FieldError[];
}

export function problemOf(refusal: Refusal, requestId: string): Problem {
  const { status, retryable, title } = errorTable[refusal.code];
  return {
    type: `urn:perkstream:problem:${refusal.code}`,
    title,
    status,
    detail: refusal.detail,
    code: refusal.code,
    requestId,
    retryable,
    errors: refusal.errors,
  };
}

/** True when an exception means that Postgres, Kafka or the registry is away or too busy: answered 503. */
export function isOutage(error: unknown): boolean {
  if (error instanceof OutageError) return true;
  if (error instanceof RegistryError) return error.retryable;
  if (error instanceof AggregateError) return error.errors.some(isOutage);
  return classify(error) === "outage" || isRepeatable(error);
}

/** True when a transaction lost against another one: the same again from its start. */
export function isRepeatable(error: unknown): boolean {
  const kind = classify(error);
  return kind === "repeat" || kind === "fence";
}

/** An outage that has no code of its own: a send that took too long, for one. */
export class OutageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "OutageError";
  }
}
