import { cors } from "hono/cors";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./context.ts";

/** Whether a browser page of this origin may call. */
export type OriginRule = (origin: string) => boolean;

const loopback = /^https?:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** The origins of PERKS_ALLOWED_ORIGINS; in development also any loopback origin. */
export function originRule(allowed: readonly string[], mode: "development" | "production"): OriginRule {
  const listed = new Set(allowed.map((origin) => origin.toLowerCase()));
  return (origin) => listed.has(origin.toLowerCase()) || (mode === "development" && loopback.test(origin));
}

/** CORS of `/v1/me…`, in development of all paths. */
export function crossOrigin(allow: OriginRule, mode: "development" | "production"): MiddlewareHandler<AppEnv> {
  const handler = cors({
    origin: (origin) => (allow(origin) ? origin : null),
    allowMethods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
    allowHeaders: ["authorization", "content-type", "x-api-key", "idempotency-key", "if-match", "perks-now", "x-request-id"],
    exposeHeaders: ["etag", "retry-after", "x-request-id"],
    maxAge: 600,
  });
  return (c, next) => {
    const { path } = c.req;
    const covered = mode === "development" || path === "/v1/me" || path.startsWith("/v1/me/");
    return covered ? handler(c, next) : next();
  };
}
