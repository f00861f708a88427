import type { Context } from "hono";
import type { z } from "@hono/zod-openapi";
import { type FieldError, refuse, type Refusal } from "../errors.ts";
import type { AppEnv } from "./context.ts";

/** Parses one part of a request by its schema; a part without a schema is empty. */
export function parsePart<S extends z.ZodType>(schema: S, value: unknown): z.output<S> | Refusal;
export function parsePart<S extends z.ZodType>(schema: S | undefined, value: unknown): z.output<S> | Record<string, never> | Refusal;
export function parsePart(schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return {};
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : refuse("invalid_request", summary(fieldErrors(parsed.error)), fieldErrors(parsed.error));
}

const MAX_FIELD_ERRORS = 50;

function fieldErrors(error: z.ZodError): FieldError[] {
  return error.issues.slice(0, MAX_FIELD_ERRORS).map((issue) => ({ path: issue.path.map(String).join("."), message: issue.message }));
}

function summary(errors: readonly FieldError[]): string {
  const [first] = errors;
  if (first === undefined) return "the request does not fit its schema";
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return `${first.path === "" ? "body" : first.path}: ${first.message}${more}`;
}

const jsonType = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/** No body of this API comes near; what goes through a value by recursion must not overflow the stack. */
const MAX_DEPTH = 64;

function isDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (inString) {
      if (character === "\\") at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "[" || character === "{") depth += 1;
    else if (character === "]" || character === "}") depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/** The body as JSON; an absent one counts as `{}`. 415 when it is not declared as JSON, 400 when it does not parse. */
export async function readBody(c: Context<AppEnv>, expected: boolean): Promise<unknown> {
  if (!expected || c.req.raw.body === null) return {};
  const bytes = await c.req.arrayBuffer();
  if (bytes.byteLength === 0) return {};
  if (!jsonType.test(c.req.header("content-type") ?? "")) return refuse("unsupported_media_type", "send Content-Type: application/json");
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (isDeep(text))
      return refuse("invalid_request", `the body is nested more than ${MAX_DEPTH} deep`, [{ path: "", message: "nested too deep" }]);
    return JSON.parse(text) as unknown;
  } catch {
    return refuse("invalid_request", "the body is not JSON in UTF-8", [{ path: "", message: "not JSON in UTF-8" }]);
  }
}
