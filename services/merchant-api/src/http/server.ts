import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { problemOf, refuse, type Refusal } from "../errors.ts";
import { limits } from "./limits.ts";

type Arrival = { readonly [Name in "requestArrivesMs" | "headersArriveMs" | "arrivalCheckMs"]: number };

/** The HTTP server of the API, not yet listening. What never becomes a request of the app is refused here, in the same shape. */
export function createApiServer(fetch: (request: Request) => Response | Promise<Response>, arrival: Arrival = limits): Server {
  const listener = getRequestListener(fetch, {
    // Thrown before the app is asked: an address or a Host that makes no URL.
    errorHandler: (error) => {
      const refusal = refuse("invalid_request", error instanceof Error ? error.message : "not a request");
      const { head, body } = problemAnswer(refusal);
      return new Response(body, { status: 400, headers: head });
    },
  });
  const server = createServer(
    {
      requestTimeout: arrival.requestArrivesMs,
      headersTimeout: arrival.headersArriveMs,
      connectionsCheckingInterval: arrival.arrivalCheckMs,
      keepAliveTimeout: limits.keepAliveMs,
    },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
  server.on("clientError", (error: LineError, socket) => refuseLine(error, socket));
  return server;
}

/** What Node's parser says, with the bytes that it read. */
type LineError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

/** Bytes that are no HTTP, and requests that do not arrive in time: answered, unless an answer is on its way, and closed. */
function refuseLine(error: LineError, socket: Duplex): void {
  if (!socket.writable || isAnswering(socket) || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const late = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  const { head, body } = problemAnswer(refuse("invalid_request", late ? "the request did not arrive in time" : "this is not HTTP/1.1"));
  const lines = Object.entries({ ...head, "content-length": Buffer.byteLength(body), connection: "close" });
  const isHead = error.rawPacket?.toString("latin1", 0, 5) === "HEAD "; // nobody waits for a body then
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.end(`HTTP/1.1 400 Bad Request\r\n${text}\r\n${isHead ? "" : body}`);
}

/** Whether an answer has begun on this connection; the property is Node's own. */
function isAnswering(socket: Duplex): boolean {
  const answer: unknown = "_httpMessage" in socket ? socket["_httpMessage"] : null;
  return typeof answer === "object" && answer !== null && "headersSent" in answer && answer.headersSent === true;
}

function problemAnswer(refusal: Refusal): { head: Record<string, string>; body: string } {
  const requestId = randomUUID();
  return {
    head: { "content-type": "application/problem+json", "x-request-id": requestId },
    body: JSON.stringify(problemOf(refusal, requestId)),
  };
}
