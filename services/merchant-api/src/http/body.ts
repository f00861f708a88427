import type { Context, MiddlewareHandler } from "hono";
import { refuse } from "../errors.ts";
import type { AppEnv } from "./context.ts";
import { limits } from "./limits.ts";
import { sendProblem } from "./send.ts";

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** 413 above the limit, whether the length is declared or not. */
export const limitBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { body, headers } = c.req.raw;
  if (body === null) return next();
  const length = headers.has("transfer-encoding") ? null : headers.get("content-length");
  if (length !== null) return Number(length) > limits.bodyBytes ? tooLarge(c) : next();
  const reader = body.getReader();
  const bytes = await readUpTo(reader, limits.bodyBytes);
  if (bytes === null) {
    if (!(await discard(reader))) c.header("connection", "close");
    return tooLarge(c);
  }
  // Only methods with a body come here; the request says which.
  c.req.raw = new Request(c.req.raw, { method: c.req.method, body: bytes });
  return next();
};

/**
 * Reads what a request still sends when it was refused before its body was read: a connection on which an unread body stands is
 * closed under the client's next request. Beyond a bound the answer says that it closes.
 */
export const readOut: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const { body, bodyUsed } = c.req.raw;
  if (body === null || bodyUsed || body.locked) return;
  if (!(await discard(body.getReader()))) c.header("connection", "close");
};

const tooLarge = (c: Context<AppEnv>): Response =>
  sendProblem(c, refuse("too_large", `the body may have at most ${limits.bodyBytes} bytes`));

/** The whole body, or null as soon as it has more bytes than that; the rest is not read. */
async function readUpTo(reader: Reader, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(Buffer.concat(chunks));
    size += value.length;
    if (size > maxBytes) return null;
    chunks.push(value);
  }
}

/** Reads to the end and forgets it. False when there is more than the bound, or the client has gone. */
async function discard(reader: Reader): Promise<boolean> {
  try {
    for (let size = 0; size <= limits.discardedBytes;) {
      const { done, value } = await reader.read();
      if (done) return true;
      size += value.length;
    }
    return false;
  } catch {
    return false;
  }
}
