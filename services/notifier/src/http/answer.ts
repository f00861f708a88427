import { randomUUID } from "node:crypto";
import type { HttpRequest, HttpResponse } from "./uws.ts";

/** An answer of the notifier's HTTP paths. */
export interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const titles: Readonly<Record<number, string>> = {
  200: "OK",
  204: "No Content",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  421: "Misdirected Request",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

export const json = (body: unknown): Answer => ({ status: 200, body: JSON.stringify(body), type: "application/json" });
export const text = (status: number, body: string): Answer => ({ status, body, type: "text/plain; charset=utf-8" });

/** RFC 9457, in the same shape as the merchant API's. */
export function problem(
  status: number,
  code: string,
  detail: string,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const body = { type: "about:blank", title: titles[status], status, detail, code, requestId, retryable: status === 503, errors: [] };
  return { status, body: JSON.stringify(body), type: "application/problem+json", headers };
}

/** What is read of a request; uWebSockets.js takes the request away when its handler returns. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly origin: string;
  readonly authorization: string;
  readonly requestId: string;
}

const requestIdForm = /^[\w.:-]{1,100}$/;

export function readRequest(request: HttpRequest): Request {
  const given = request.getHeader("x-request-id");
  return {
    method: request.getMethod(),
    path: request.getUrl(),
    host: request.getHeader("host"),
    origin: request.getHeader("origin"),
    authorization: request.getHeader("authorization"),
    requestId: requestIdForm.test(given) ? given : randomUUID(),
  };
}

export function write(response: HttpResponse, answer: Answer, { method, requestId }: Pick<Request, "method" | "requestId">): void {
  response.cork(() => {
    response.writeStatus(`${answer.status} ${titles[answer.status] ?? ""}`);
    response.writeHeader("x-request-id", requestId).writeHeader("x-content-type-options", "nosniff");
    if (answer.type !== undefined) response.writeHeader("content-type", answer.type);
    for (const [name, value] of Object.entries(answer.headers ?? {})) response.writeHeader(name, value);
    if (method !== "head") return void response.end(answer.body);
    // A body would be read as the next answer. Given the length, uWebSockets.js waits for that body for ever.
    response.writeHeader("content-length", String(Buffer.byteLength(answer.body))).endWithoutBody();
  });
}
