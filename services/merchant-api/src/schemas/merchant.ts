import { isTimeZone } from "@perkstream/calendar";
import { z } from "@hono/zod-openapi";
import { roles } from "../auth/principal.ts";
import { instantOut } from "./time.ts";
import { currency, defaulting, int4, text, uuidOut } from "./values.ts";

const MAX_NOTICE_DAYS = 366;
const timeZone = z.string().max(64).refine(isTimeZone, "must be an IANA time zone").openapi({ example: "Europe/London" });
const clawbackPolicy = z.enum(["allow_negative", "clamp_to_zero"]);
const expiringNoticeDays = int4(0).max(MAX_NOTICE_DAYS);
const name = text(256, 1);

export const merchantBody = z
  .object({
    name,
    currency,
    timeZone,
    clawbackPolicy: defaulting(clawbackPolicy, "allow_negative"),
    expiringNoticeDays: defaulting(expiringNoticeDays, 0),
    clock: defaulting(z.enum(["real", "manual"]), "real").openapi({
      description: "`manual` in development only: time moves only by records, `Perks-Now` and POST /v1/dev/sweep.",
    }),
  })
  .openapi("NewMerchant");

const kept = <S extends z.ZodType>(schema: S) => schema.nullish();

/** Only what is given changes; nothing of a merchant can be cleared, so null changes nothing. */
export const merchantPatch = z
  .object({
    name: kept(name),
    currency: kept(currency),
    timeZone: kept(timeZone),
    clawbackPolicy: kept(clawbackPolicy),
    expiringNoticeDays: kept(expiringNoticeDays),
  })
  .openapi("MerchantPatch");

export const merchantShape = z
  .object({
    merchantId: uuidOut,
    name: z.string(),
    currency: z.string(),
    timeZone: z.string(),
    clawbackPolicy,
    expiringNoticeDays: z.int(),
    clock: z.enum(["real", "manual"]),
  })
  .openapi("Merchant");

export const newMerchantShape = z.object({ merchantId: uuidOut, apiKey: z.string() });

export const apiKeyBody = z.object({ name: text(64, 1), role: z.enum(roles) }).openapi("NewApiKey");
export const apiKeyShape = z
  .object({
    id: z.string(),
    name: z.string(),
    role: z.enum(roles),
    createdAt: instantOut,
    lastUsedAt: instantOut.nullable(),
    revokedAt: instantOut.nullable(),
  })
  .openapi("ApiKey");
export const newApiKeyShape = apiKeyShape.extend({ apiKey: z.string().openapi({ description: "Shown once." }) });
