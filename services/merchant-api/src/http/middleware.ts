import { randomUUID } from "node:crypto";
import type { Logger } from "@perkstream/service";
import type { MiddlewareHandler } from "hono";
import { refuse } from "../errors.ts";
import type { AppEnv } from "./context.ts";
import { limits } from "./limits.ts";
import { sendProblem } from "./send.ts";

const requestIdForm = new RegExp(`^[\\w.:/=+-]{1,${limits.requestIdChars}}$`);

/** `x-request-id` in and out, and in every log line of the request. */
export function requestId(log: Logger): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const given = c.req.header("x-request-id");
    const id = given !== undefined && requestIdForm.test(given) ? given : randomUUID();
    c.set("requestId", id);
    c.set("log", log.child({ requestId: id }));
    await next();
    c.header("x-request-id", id);
  };
}

const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** Development listens on loopback only; a foreign Host is a page that made its name point here (DNS rebinding). */
export function loopbackOnly(): MiddlewareHandler<AppEnv> {
  return (c, next) => {
    const host = c.req.header("host") ?? new URL(c.req.url).host;
    if (loopbackHost.test(host)) return next();
    return Promise.resolve(sendProblem(c, refuse("forbidden", "in development only a loopback Host is answered")));
  };
}
