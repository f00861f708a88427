import { setTimeout as sleep } from "node:timers/promises";

const pollMs = 50;

/** Polls `condition` until it answers true; false when `timeoutMs` have passed or `signal` was aborted. An exception of `condition` counts as false. */
export async function waitUntil(condition: () => Promise<boolean> | boolean, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (signal?.aborted === true) return false;
    try {
      if (await condition()) return true;
    } catch {
      // Not there yet.
    }
    if (performance.now() >= deadline) return false;
    await sleep(pollMs);
  }
}
