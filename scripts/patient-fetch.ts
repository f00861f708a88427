import { setTimeout as wait } from "node:timers/promises";

export interface Patience {
  readonly attempts: number;
  readonly longestPauseMs: number;
}

const ofSetUp: Patience = { attempts: 60, longestPauseMs: 1_000 };

/** Asks again while the API says that this may help (429, 503), after its Retry-After or ever longer pauses; the last answer. */
export async function askPatiently(ask: () => Promise<Response>, { attempts, longestPauseMs }: Patience): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await ask();
    if ((response.status !== 429 && response.status !== 503) || attempt === attempts) return response;
    await response.body?.cancel();
    const askedMs = Number(response.headers.get("retry-after")) * 1_000;
    await wait(Math.min(longestPauseMs, askedMs > 0 ? askedMs : 50 * 2 ** attempt));
  }
}

/**
 * As `fetch`, for what sets a product up or looks at it: such answers are given before anything was done, so it asks again, for a
 * minute. But a `POST` of orders without an Idempotency-Key is sent once: its order may have got into the log.
 */
export async function patientFetch(url: string, init: RequestInit = {}): Promise<Response> {
  const isOrder = init.method === "POST" && new URL(url).pathname.startsWith("/v1/orders");
  if (isOrder && !new Headers(init.headers).has("idempotency-key")) return fetch(url, init);
  return askPatiently(() => fetch(url, init), ofSetUp);
}
