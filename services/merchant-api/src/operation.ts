import { createRoute, type OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { Role } from "@perkstream/merchant";
import type { Context } from "hono";
import { authenticate } from "./auth/authenticate.ts";
import { type BootstrapPrincipal, type CustomerPrincipal, type MerchantPrincipal, type Principal, roleAllows } from "./auth/principal.ts";
import { requireCommandsOpen } from "./command-gate.ts";
import type { Deps } from "./deps.ts";
import { type ErrorCode, errorTable, refuse, Refusal } from "./errors.ts";
import { requestClock } from "./http/clock.ts";
import type { AppEnv } from "./http/context.ts";
import { type IfMatch, parseIfMatch } from "./http/etag.ts";
import { type IdempotencyRequest, readIdempotency } from "./http/idempotency.ts";
import { parsePart, readBody } from "./http/input.ts";
import { sendProblem, sendReply, sendStored, StoredAnswer } from "./http/send.ts";
import { problemSchema } from "./schemas/problem.ts";

/** Who may call: a merchant's token or key of at least this role, a customer's token, the bootstrap key, or anybody. */
export type Access =
  | { readonly kind: "merchant"; readonly role: Role }
  | { readonly kind: "customer" }
  | { readonly kind: "bootstrap" }
  | { readonly kind: "merchant-or-bootstrap"; readonly role: Role }
  | { readonly kind: "anybody" };

interface PrincipalByAccess {
  merchant: MerchantPrincipal;
  customer: CustomerPrincipal;
  bootstrap: BootstrapPrincipal;
  "merchant-or-bootstrap": MerchantPrincipal | BootstrapPrincipal;
  anybody: null;
}

/** Everything that an operation's handler is given; parsed, authorised and within limits. */
export interface Call<A extends Access["kind"], P, Q, B> {
  readonly deps: Deps;
  readonly principal: PrincipalByAccess[A];
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** The clock of this request (ms): in development `Perks-Now` sets it. */
  readonly now: number;
  readonly requestId: string;
  readonly ifMatch: IfMatch;
  readonly idempotency: IdempotencyRequest | null;
}

type ReplySchemas = { readonly [status: number]: { readonly description: string; readonly schema: z.ZodType | null } };

/** Answers are only written, so whatever the packages give may be shown as it is. */
export type ReadOnly<T> = T extends readonly (infer U)[]
  ? readonly ReadOnly<U>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadOnly<T[K]> }
    : T;

/** An answer: one of the declared statuses with a body of its schema. */
export type Reply<R extends ReplySchemas> = {
  [S in keyof R & number]: {
    readonly status: S;
    readonly body: R[S]["schema"] extends z.ZodType ? ReadOnly<z.input<R[S]["schema"]>> : null;
    readonly headers?: Readonly<Record<string, string>>;
  };
}[keyof R & number];

/** A reply with its status as a literal type. */
export function reply<const S extends number, B>(
  status: S,
  body: B,
  headers: Readonly<Record<string, string>> = {},
): { status: S; body: B; headers: Readonly<Record<string, string>> } {
  return { status, body, headers };
}

type Infer<S extends z.ZodType | undefined> = S extends z.ZodType ? z.output<S> : Record<string, never>;

export interface OperationSpec<
  A extends Access,
  P extends z.ZodObject | undefined,
  Q extends z.ZodObject | undefined,
  B extends z.ZodType | undefined,
  R extends ReplySchemas,
> {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** With `{name}` for parameters, as in OpenAPI. */
  readonly path: `/v1/${string}`;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: A;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly ifMatch?: "required" | "optional";
  /** Takes Idempotency-Key; the handler passes `call.idempotency` to `once`. */
  readonly idempotent?: true;
  readonly replies: R;
  /** The codes of this operation's own; those that any operation may answer are added. */
  readonly errors?: readonly ErrorCode[];
  /**
   * A command or rule edit: 503 until the programs have read what was in the log when the API started. `true` of tier and
   * cashback, else the name of the program that it is for.
   */
  readonly command?: true | string;
  /** How long the handler may take before the answer is 503, ms; `limits.answerMs` unless given. */
  readonly answerMs?: number;
  /** Absent without PERKS_MODE=development. */
  readonly developmentOnly?: true;
  readonly handle: (call: Call<A["kind"], Infer<P>, Infer<Q>, Infer<B>>) => Promise<Reply<R> | Refusal | StoredAnswer>;
}

/** One operation of the API, ready to be mounted; its types are closed over. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly developmentOnly: boolean;
  mount(app: OpenAPIHono<AppEnv>, deps: Deps): void;
}

export function operation<
  const A extends Access,
  const R extends ReplySchemas,
  P extends z.ZodObject | undefined = undefined,
  Q extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(spec: OperationSpec<A, P, Q, B, R>): Operation {
  return {
    method: spec.method,
    path: spec.path,
    developmentOnly: spec.developmentOnly === true,
    mount(app, deps) {
      const route = createRoute(describe(spec));
      app.openAPIRegistry.registerPath(route);
      app.on(spec.method.toUpperCase(), route.getRoutingPath(), async (c) => {
        const outcome = await perform(c, spec, deps);
        if (outcome instanceof Refusal) {
          if (outcome.code === "unavailable")
            c.get("log").warn({ method: c.req.method, path: c.req.path, detail: outcome.detail }, "unavailable");
          return sendProblem(c, outcome);
        }
        if (outcome instanceof StoredAnswer) return sendStored(c, outcome);
        if (deps.checkReplies) checkReply(spec, outcome);
        return sendReply(c, outcome);
      });
    },
  };
}

/** What the document needs of an operation. */
type Described = Pick<
  OperationSpec<Access, z.ZodObject | undefined, z.ZodObject | undefined, z.ZodType | undefined, ReplySchemas>,
  | "method"
  | "path"
  | "tag"
  | "summary"
  | "description"
  | "access"
  | "params"
  | "query"
  | "body"
  | "ifMatch"
  | "idempotent"
  | "replies"
  | "errors"
>;

/** credentials → role → rate → precondition → parameters → body → handler; the first that fails answers. */
async function perform<
  A extends Access,
  P extends z.ZodObject | undefined,
  Q extends z.ZodObject | undefined,
  B extends z.ZodType | undefined,
  R extends ReplySchemas,
>(c: Context<AppEnv>, spec: OperationSpec<A, P, Q, B, R>, deps: Deps): Promise<Reply<R> | Refusal | StoredAnswer> {
  const principal = await deps.gate.run(() => admit(c, spec.access, deps));
  if (principal instanceof Refusal) return principal;
  const ifMatch = parseIfMatch(c.req.header("if-match"));
  if (spec.ifMatch === "required" && ifMatch === null)
    return refuse("precondition_required", 'send If-Match with the ETag that was read, such as "0"');
  const now = requestClock(c.req.raw.headers, deps);
  if (now instanceof Refusal) return now;

  const params = parsePart(spec.params, c.req.param());
  if (params instanceof Refusal) return params;
  const query = parsePart(spec.query, c.req.query());
  if (query instanceof Refusal) return query;
  const raw = await readBody(c, spec.body !== undefined);
  if (raw instanceof Refusal) return raw;
  const body = parsePart(spec.body, raw);
  if (body instanceof Refusal) return body;
  const idempotency = spec.idempotent === true ? readIdempotency(c, principal, raw) : null;
  if (idempotency instanceof Refusal) return idempotency;

  return deps.gate.run(async () => {
    if (spec.command !== undefined) await requireCommandsOpen(deps.commandsOpen, spec.command === true ? undefined : spec.command);
    return spec.handle({
      deps,
      principal: principal as PrincipalByAccess[A["kind"]],
      params: params as Infer<P>,
      query: query as Infer<Q>,
      body: body as Infer<B>,
      now,
      requestId: c.get("requestId"),
      ifMatch,
      idempotency,
    });
  }, spec.answerMs);
}

/** The principal that `access` asks for, or 401, 403, 429. Null only for operations that anybody may call. */
async function admit(c: Context<AppEnv>, access: Access, deps: Deps): Promise<Principal | null | Refusal> {
  if (access.kind === "anybody") return limited(c, "anybody", deps) ?? null;
  const principal = await authenticate(c.req.raw.headers, deps.authenticator);
  if (principal instanceof Refusal) return principal;
  c.set("principal", principal);
  return limited(c, principal.credential, deps) ?? checkAccess(principal, access) ?? principal;
}

function limited(c: Context<AppEnv>, credential: string, deps: Deps): Refusal | null {
  const waitSeconds = deps.rateLimiter.take(credential, deps.clock());
  if (waitSeconds === 0) return null;
  return new Refusal("rate_limited", `retry in ${waitSeconds} s`, [], { "retry-after": String(waitSeconds) });
}

function checkAccess(principal: Principal, access: Exclude<Access, { kind: "anybody" }>): Refusal | null {
  const kinds = access.kind === "merchant-or-bootstrap" ? ["merchant", "bootstrap"] : [access.kind];
  if (!kinds.includes(principal.kind))
    return refuse("forbidden", `this asks for the credentials of a ${kinds.join(" or ")}, these are of a ${principal.kind}`);
  if (principal.kind === "merchant" && "role" in access && !roleAllows(principal.role, access.role)) {
    return refuse("forbidden", `this asks for role ${access.role}, these credentials have ${principal.role}`);
  }
  return null;
}

/** Tests only: an answer that does not fit its declared schema is a defect. */
function checkReply(spec: { readonly path: string; readonly replies: ReplySchemas }, reply: { status: number; body: unknown }): void {
  const declared = spec.replies[reply.status];
  if (declared === undefined) throw new Error(`${spec.path} answered an undeclared ${reply.status}`);
  if (declared.schema === null) return;
  const parsed = declared.schema.safeParse(reply.body);
  if (!parsed.success) throw new Error(`${spec.path} answered what its schema does not allow: ${parsed.error.message}`);
}

const alwaysPossible: readonly ErrorCode[] = ["invalid_request", "rate_limited", "internal", "unavailable"];

function describe(spec: Described): RouteConfig {
  const headers: Record<string, z.ZodType> = {};
  if (spec.ifMatch === "required")
    headers["If-Match"] = z.string().openapi({ description: 'The ETag that was read; `*` matches any, `"0"` is that of a new one.' });
  if (spec.ifMatch === "optional") headers["If-Match"] = z.string().optional();
  if (spec.idempotent)
    headers["Idempotency-Key"] = z
      .string()
      .min(1)
      .max(255)
      .optional()
      .openapi({ description: "The same key and body get the same answer for 24 hours." });
  return {
    method: spec.method,
    path: spec.path,
    tags: [spec.tag],
    summary: spec.summary,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    operationId: operationId(spec),
    security: security(spec.access),
    request: {
      ...(spec.params === undefined ? {} : { params: spec.params }),
      ...(spec.query === undefined ? {} : { query: spec.query }),
      ...(Object.keys(headers).length === 0 ? {} : { headers: z.object(headers) }),
      ...(spec.body === undefined ? {} : { body: { required: true, content: { "application/json": { schema: spec.body } } } }),
    },
    responses: { ...describeReplies(spec.replies), ...describeErrors(spec) },
  };
}

function describeReplies(replies: ReplySchemas): RouteConfig["responses"] {
  const described = Object.entries(replies).map(([status, { description, schema }]) => [
    status,
    schema === null ? { description } : { description, content: { "application/json": { schema } } },
  ]);
  return Object.fromEntries(described) as RouteConfig["responses"];
}

function describeErrors(spec: Described): RouteConfig["responses"] {
  const codes = new Set<ErrorCode>([...alwaysPossible, ...(spec.errors ?? [])]);
  if (spec.access.kind !== "anybody") codes.add("unauthenticated").add("forbidden");
  if (spec.body !== undefined) codes.add("too_large").add("unsupported_media_type");
  if (spec.ifMatch !== undefined) codes.add("stale_version");
  if (spec.ifMatch === "required") codes.add("precondition_required");
  if (spec.idempotent) codes.add("idempotency_key_reused");
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) byStatus.set(errorTable[code].status, [...(byStatus.get(errorTable[code].status) ?? []), code]);
  const described = [...byStatus].map(([status, list]) => [
    String(status),
    { description: list.map((code) => `\`${code}\``).join(", "), content: { "application/problem+json": { schema: problemSchema } } },
  ]);
  return Object.fromEntries(described) as RouteConfig["responses"];
}

function operationId(spec: Described): string {
  const words = spec.path.replaceAll(/[{}]/g, "").split(/[/-]/).slice(2);
  return [spec.method, ...words].map((word, at) => (at === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join("");
}

function security(access: Access): Record<string, string[]>[] {
  const merchant = [{ merchantToken: [] }, { apiKey: [] }];
  if (access.kind === "merchant") return merchant;
  if (access.kind === "customer") return [{ customerToken: [] }];
  if (access.kind === "bootstrap") return [{ bootstrapKey: [] }];
  return access.kind === "anybody" ? [] : [...merchant, { bootstrapKey: [] }];
}
