import { Counter, Histogram, type Registry } from "@perkstream/service";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { AppEnv } from "./context.ts";

/** Duration and count of answers by method, route and status; the route, not the path, so that labels stay few. */
export function measure(registry: Registry): MiddlewareHandler<AppEnv> {
  const labelNames = ["method", "route", "status"] as const;
  const seconds = new Histogram({
    name: "perkstream_http_request_seconds",
    help: "Duration of requests to the merchant API.",
    labelNames,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30],
    registers: [registry],
  });
  const failures = new Counter({
    name: "perkstream_http_failures_total",
    help: "Answers of 500 and above.",
    labelNames,
    registers: [registry],
  });
  return async (c, next) => {
    const startedAt = performance.now();
    await next();
    const labels = { method: c.req.method, route: routePath(c, -1), status: String(c.res.status) };
    seconds.observe(labels, (performance.now() - startedAt) / 1_000);
    if (c.res.status >= 500) failures.inc(labels);
  };
}
