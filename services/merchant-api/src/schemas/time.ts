import { z } from "@hono/zod-openapi";

/** First instant that events may not have: 2200-01-01. */
export const latestInstantMs = Date.UTC(2200, 0, 1);

export const instantText = z.iso.datetime({ offset: true });

/** A time of a request, ISO 8601 with Z or an offset, from 1970 to 2199; parsed to ms since 1970. */
export const instant = instantText
  .transform((text) => Date.parse(text))
  .refine((ms) => ms >= 0 && ms < latestInstantMs, "must be from 1970 to 2199")
  .openapi({ type: "string", format: "date-time", example: "2025-01-31T12:00:00Z" });

/** A time of an answer: ISO 8601 UTC with milliseconds. */
export const instantOut = z.iso.datetime().openapi({ example: "2025-01-31T12:00:00.000Z" });

/** A local date of an answer. */
export const dateOut = z.iso.date().openapi({ example: "2025-01-31" });

export const iso = (ms: number): string => new Date(ms).toISOString();
export const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));
