import { createServer } from "node:http";
import type { Registry } from "prom-client";

/** Why the service is not ready, or null when it is. */
export type Readiness = () => string | null;

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves GET /healthz (alive), /readyz (200 or 503 with the reason) and /metrics (Prometheus text). */
export function serveHealth(options: { host: string; port: number; ready: Readiness; metrics: Registry }): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?")[0];
    const answer = (status: number, body: string, type = "text/plain; charset=utf-8") => {
      response.writeHead(status, { "content-type": type }).end(body);
    };
    if (path === "/healthz") return answer(200, "ok\n");
    if (path === "/readyz") {
      const reason = options.ready();
      return answer(reason === null ? 200 : 503, `${reason ?? "ready"}\n`);
    }
    if (path === "/metrics") {
      options.metrics.metrics().then(
        (text) => answer(200, text, options.metrics.contentType),
        () => answer(500, "metrics failed\n"),
      );
      return;
    }
    answer(404, "not found\n");
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      const address = server.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : options.port,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      });
    });
  });
}
