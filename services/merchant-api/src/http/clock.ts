import { invalidField, type Refusal } from "../errors.ts";
import { instantText, latestInstantMs } from "../schemas/time.ts";

/**
 * The clock of a request (ms): in development `Perks-Now: <ISO time>` sets it, so that a story that spans months can be
 * played through the public interface. Tokens and rate limits never go by it.
 */
export function requestClock(
  headers: Headers,
  by: { readonly mode: "development" | "production"; readonly clock: () => number },
): number | Refusal {
  const text = by.mode === "development" ? headers.get("perks-now") : null;
  if (text === null) return by.clock();
  const parsed = instantText.safeParse(text.trim());
  const at = parsed.success ? Date.parse(parsed.data) : Number.NaN;
  if (Number.isNaN(at) || at < 0 || at >= latestInstantMs)
    return invalidField("Perks-Now", "must be a time such as 2025-01-31T12:00:00Z, from 1970 to 2199");
  return at;
}
