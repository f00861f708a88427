import { z } from "@hono/zod-openapi";
import { defaulting, flag, id, int4, optional, text, wholeAmount } from "./values.ts";

const MAX_DAYS = 36_500;
const MAX_LEVELS = 100;
const MAX_MULTIPLIER_BPS = 1_000_000;
const DEFAULT_WINDOW_DAYS = 365;

const metric = z.enum(["net_spend", "order_count"]);
const window = z.enum(["lifetime", "rolling_days", "calendar_year", "anniversary_year"]);
const refundPolicy = z.enum(["immediate", "at_period_end"]);
const downgrade = z.enum(["drop_to_qualified", "one_down"]);

const settingsBody = z
  .object({
    metric: defaulting(metric, "net_spend"),
    window: defaulting(window, "rolling_days"),
    days: optional(int4(1).max(MAX_DAYS)),
    refundPolicy: defaulting(refundPolicy, "immediate"),
    downgrade: defaulting(downgrade, "drop_to_qualified"),
    graceDays: defaulting(int4(0).max(MAX_DAYS), 0),
  })
  .transform(({ days, ...settings }) =>
    settings.window === "rolling_days" ? { ...settings, days: days ?? DEFAULT_WINDOW_DAYS } : settings,
  );

/** A level of a request; the id is made if it brings none, the name is its id then too. */
export const levelBody = z
  .object({
    id: optional(id),
    name: optional(text(256, 1)),
    threshold: wholeAmount(0),
    cashbackMultiplierBps: defaulting(int4(0).max(MAX_MULTIPLIER_BPS), 10_000),
  })
  .openapi("NewLevel");

export const levelPatch = z
  .object({
    name: text(256, 1).nullish(),
    threshold: wholeAmount(0).nullish(),
    cashbackMultiplierBps: int4(0).max(MAX_MULTIPLIER_BPS).nullish(),
  })
  .openapi("LevelPatch");

export const ladderBody = z
  .object({ settings: defaulting(settingsBody, settingsBody.parse({})), levels: z.array(levelBody).max(MAX_LEVELS) })
  .openapi("LadderEdit");

export const ladderShape = z
  .object({
    version: z.int(),
    settings: z.object({
      metric,
      window,
      days: z.int().optional().openapi({ description: "Only with `rolling_days`." }),
      refundPolicy,
      downgrade,
      graceDays: z.int(),
    }),
    levels: z.array(z.object({ id: z.string(), name: z.string(), threshold: wholeAmount(0), cashbackMultiplierBps: z.int() })),
  })
  .openapi("Ladder");

export const previewShape = z.object({ up: z.int(), down: z.int(), stay: z.int() }).openapi("LadderPreview");

export const editQuery = z.object({
  preview: flag.openapi({ description: "Only tells how many customers would go up, down or stay." }),
  apply: z.enum(["immediate", "grandfather"]).default("immediate"),
});

export const levelParams = z.object({ levelId: id });
export { MAX_LEVELS };
