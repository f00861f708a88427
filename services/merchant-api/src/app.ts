import { OpenAPIHono } from "@hono/zod-openapi";
import type { Deps } from "./deps.ts";
import { openApiDocument, registerSecurity } from "./docs/document.ts";
import { referencePage } from "./docs/page.ts";
import { isOutage, refuse, Refusal } from "./errors.ts";
import { limitBody, readOut } from "./http/body.ts";
import type { AppEnv } from "./http/context.ts";
import { crossOrigin } from "./http/cors.ts";
import { measure } from "./http/metrics.ts";
import { loopbackOnly, requestId } from "./http/middleware.ts";
import { sendProblem } from "./http/send.ts";
import type { Operation } from "./operation.ts";
import { operations as allOperations } from "./operations/index.ts";

/**
 * The API without a listener: `app.fetch` or `app.request` answer. Operations under `/v1/dev/…` exist in development only.
 */
export function createApp(deps: Deps, operations: readonly Operation[] = allOperations): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  app.use(requestId(deps.log));
  app.use(measure(deps.metrics));
  app.use(readOut);
  if (deps.mode === "development") app.use(loopbackOnly());
  app.use(crossOrigin(deps.allowOrigin, deps.mode));
  app.use(limitBody);

  registerSecurity(app);
  for (const operation of operations) {
    if (deps.mode === "development" || !operation.developmentOnly) operation.mount(app, deps);
  }
  mountDocs(app);
  mountHealth(app, deps);

  app.notFound((c) => sendProblem(c, refuse("not_found", `there is no ${c.req.method} ${c.req.path}`)));
  app.onError((error, c) => {
    if (isOutage(error)) {
      c.get("log").warn({ err: error, method: c.req.method, path: c.req.path }, "unavailable");
      return sendProblem(c, new Refusal("unavailable", "a part of the system is away or too busy, try again", [], { "retry-after": "1" }));
    }
    c.get("log").error({ err: error, method: c.req.method, path: c.req.path }, "internal error");
    return sendProblem(c, refuse("internal", "something went wrong; the log knows more under the request id"));
  });
  return app;
}

function mountDocs(app: OpenAPIHono<AppEnv>): void {
  const document = openApiDocument(app);
  const page = referencePage(document);
  app.get("/openapi.json", (c) => c.json(document));
  app.get("/docs", (c) => c.html(page.html, 200, { "content-security-policy": page.contentSecurityPolicy }));
}

function mountHealth(app: OpenAPIHono<AppEnv>, deps: Deps): void {
  app.get("/healthz", (c) => c.text("ok\n"));
  app.get("/readyz", async (c) => {
    const reason = await deps.ready();
    return c.text(`${reason ?? "ready"}\n`, reason === null ? 200 : 503);
  });
  app.get("/metrics", async (c) => c.body(await deps.metrics.metrics(), 200, { "content-type": deps.metrics.contentType }));
}
