import { z } from "@hono/zod-openapi";
import { instantOut } from "./time.ts";
import { amount, amountOut, defaulting, givenId, id, int4, oneOf, optional } from "./values.ts";

const MIN_TTL_SECONDS = 60;
const MAX_TTL_SECONDS = 2_592_000;

export const redemptionBody = z
  .object({
    customerId: id,
    amountMinor: amount(1),
    orderId: optional(id).openapi({ description: "The order that it pays for; it need not exist yet." }),
    ttlSeconds: optional(int4(MIN_TTL_SECONDS).max(MAX_TTL_SECONDS)).openapi({
      description: "How long it stays reserved; required unless `commit`.",
    }),
    commit: defaulting(z.boolean(), false).openapi({ description: "Redeems in one step." }),
  })
  .refine(({ ttlSeconds, commit }) => commit || ttlSeconds !== null, { path: ["ttlSeconds"], error: "is required unless commit is true" })
  .openapi("NewRedemption");

export const redemptionParams = z.object({ redemptionId: givenId });

export const redemptionShape = z
  .object({
    redemptionId: z.string(),
    customerId: z.string(),
    orderId: z.string().nullable(),
    amountMinor: amountOut,
    status: oneOf(["reserved", "committed", "released", "lapsed"]),
    expiresAt: instantOut.nullable(),
    restoredMinor: amountOut,
    parts: z.array(z.object({ orderId: z.string(), campaignId: z.string(), amountMinor: amountOut, restoredMinor: amountOut })),
    createdAt: instantOut,
  })
  .openapi("Redemption", { description: "Shown `reserved` until the lapse was applied: by a sweep, an event or a command." });
