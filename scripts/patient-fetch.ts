import { setTimeout as wait } from "node:timers/promises";

const longestPauseMs = 1_000;
const limitMs = 60_000;

/**
 * As `fetch`, for what sets a product up or looks at it: a 503 is answered before anything was done, so the request is sent again
 * after Retry-After, for a minute. But a `POST` of orders without an Idempotency-Key is sent once: its order may have got into the log.
 */
export async function patientFetch(url: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
  const isOrder = init.method === "POST" && new URL(url).pathname.startsWith("/v1/orders");
  const maySendAgain = !isOrder || init.headers?.["idempotency-key"] !== undefined;
  const end = performance.now() + limitMs;
  for (;;) {
    const response = await fetch(url, init);
    if (response.status !== 503 || !maySendAgain || performance.now() > end) return response;
    await response.body?.cancel();
    await wait(Math.min(longestPauseMs, 1_000 * Number(response.headers.get("retry-after") ?? 1)));
  }
}
