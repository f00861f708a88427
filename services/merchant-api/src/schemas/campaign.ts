import { z } from "@hono/zod-openapi";
import { instant, instantOut } from "./time.ts";
import { amountOut, defaulting, id, int4, optional, text, wholeAmount } from "./values.ts";

const MAX_DAYS = 36_500;
const MAX_MONTHS = 1_200;
const MAX_RATE_BPS = 100_000;
const MAX_ENTRIES = 10_000;

const stacking = z.enum(["best", "add"]);
const statuses = ["draft", "active", "paused", "ended"] as const;
const period = z.enum(["day", "month", "campaign"]);

/** Campaigns are stored in the words of the API: amounts stay JSON integers, instants ISO text. */
const when = instant.transform((ms) => new Date(ms).toISOString()).openapi({ type: "string", format: "date-time" });
const entries = z
  .array(text(256))
  .max(MAX_ENTRIES)
  .nullish()
  .transform((list) => list ?? undefined);
const filter = z.object({ skus: entries, categories: entries });
const cap = z.object({ amountMinor: wholeAmount(1), period });
const expiry = z.discriminatedUnion("type", [
  z.object({ type: z.literal("never") }),
  z.object({ type: z.literal("days"), days: int4(1).max(MAX_DAYS) }),
  z.object({ type: z.literal("end_of_month"), months: int4(0).max(MAX_MONTHS) }),
]);

const fields = {
  name: text(256, 1),
  rateBps: int4(1).max(MAX_RATE_BPS),
  startsAt: when,
  endsAt: when,
  include: filter,
  exclude: filter,
  minOrderMinor: wholeAmount(0),
  stacking,
  priority: z.int(),
  perOrderCapMinor: wholeAmount(1),
  perCustomerCap: cap,
  budgetMinor: wholeAmount(1),
  holdDays: int4(0).max(MAX_DAYS),
  expiry,
  tierMultiplier: z.boolean(),
};

/** What a field is that a POST leaves out or a PATCH clears; the others become null. */
export const campaignDefaults = {
  startsAt: "2000-01-01T00:00:00.000Z",
  minOrderMinor: 0,
  stacking: "best",
  priority: 0,
  holdDays: 0,
  expiry: { type: "never" },
  tierMultiplier: true,
} as const;

export const campaignBody = z
  .object({
    id: optional(id),
    name: optional(fields.name),
    rateBps: fields.rateBps,
    startsAt: defaulting(fields.startsAt, campaignDefaults.startsAt),
    endsAt: optional(fields.endsAt),
    include: optional(fields.include),
    exclude: optional(fields.exclude),
    minOrderMinor: defaulting(fields.minOrderMinor, campaignDefaults.minOrderMinor),
    stacking: defaulting(fields.stacking, campaignDefaults.stacking),
    priority: defaulting(fields.priority, campaignDefaults.priority),
    perOrderCapMinor: optional(fields.perOrderCapMinor),
    perCustomerCap: optional(fields.perCustomerCap),
    budgetMinor: optional(fields.budgetMinor),
    holdDays: defaulting(fields.holdDays, campaignDefaults.holdDays),
    expiry: defaulting(fields.expiry, campaignDefaults.expiry),
    tierMultiplier: defaulting(fields.tierMultiplier, campaignDefaults.tierMultiplier),
    status: defaulting(z.enum(["draft", "active", "paused"]), "draft"),
  })
  .openapi("NewCampaign");

/** Only what is given changes, null clears: what cannot be empty goes back to its default. `rateBps` and `status` cannot be cleared. */
export const campaignPatch = z
  .object({
    name: fields.name.nullable(),
    rateBps: fields.rateBps,
    startsAt: fields.startsAt.nullable(),
    endsAt: fields.endsAt.nullable(),
    include: fields.include.nullable(),
    exclude: fields.exclude.nullable(),
    minOrderMinor: fields.minOrderMinor.nullable(),
    stacking: fields.stacking.nullable(),
    priority: fields.priority.nullable(),
    perOrderCapMinor: fields.perOrderCapMinor.nullable(),
    perCustomerCap: fields.perCustomerCap.nullable(),
    budgetMinor: fields.budgetMinor.nullable(),
    holdDays: fields.holdDays.nullable(),
    expiry: fields.expiry.nullable(),
    tierMultiplier: fields.tierMultiplier.nullable(),
    status: z.enum(statuses),
  })
  .partial()
  .openapi("CampaignPatch");

export type CampaignPatch = z.output<typeof campaignPatch>;

const listOut = z.array(z.string()).nullable();
const filterOut = z.object({ skus: listOut, categories: listOut }).nullable();

export const campaignShape = z
  .object({
    id: z.string(),
    name: z.string(),
    rateBps: z.int(),
    startsAt: instantOut,
    endsAt: instantOut.nullable(),
    include: filterOut,
    exclude: filterOut,
    minOrderMinor: wholeAmount(0),
    stacking,
    priority: z.int(),
    perOrderCapMinor: wholeAmount(1).nullable(),
    perCustomerCap: cap.nullable(),
    budgetMinor: wholeAmount(1).nullable(),
    holdDays: z.int(),
    expiry,
    tierMultiplier: z.boolean(),
    status: z.enum(statuses),
    version: z.int(),
  })
  .openapi("Campaign");

export const campaignStats = z
  .object({
    campaignId: z.string(),
    awardedMinor: amountOut,
    reversedMinor: amountOut,
    usedMinor: amountOut,
    redeemedMinor: amountOut,
    budgetLeftMinor: amountOut.nullable(),
    customers: z.int(),
  })
  .openapi("CampaignStats");

export const campaignParams = z.object({ campaignId: id });
