import { Agent, request } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { createApiServer } from "../../http/server.ts";
import type { OddRequest } from "./odd-request.ts";

export interface RawAnswer {
  readonly status: number;
  readonly type: string;
  readonly requestId: string | null;
  readonly text: string;
}

export interface Line {
  readonly port: number;
  send(request: OddRequest): Promise<RawAnswer>;
  close(): Promise<void>;
}

/** Serves the API on a port as main.ts does, and asks it over a few connections that are used again and again. */
export async function openLine(fetch: (request: Request) => Response | Promise<Response>, connections: number): Promise<Line> {
  const server = createApiServer(fetch).listen(0, "127.0.0.1");
  if (!server.listening) await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    port,
    send: (odd) => send(port, agent, odd),
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
      }),
  };
}

function send(port: number, agent: Agent, { method, path, headers, body, chunked }: OddRequest): Promise<RawAnswer> {
  const length = body === null ? {} : chunked ? { "transfer-encoding": "chunked" } : { "content-length": body.length };
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, agent, method, path, headers: { ...headers, ...length } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const { "content-type": type = "", "x-request-id": id } = answer.headers;
        resolve({
          status: answer.statusCode ?? 0,
          type,
          requestId: typeof id === "string" ? id : null,
          text: Buffer.concat(chunks).toString(),
        });
      });
    });
    sent.on("error", reject);
    sent.end(body ?? undefined);
  });
}
