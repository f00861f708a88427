import { z } from "zod";
import { expectation } from "./expectation.ts";

/* The format of a story, as the head of vectors.json tells it. Unknown keys are refused by name. */

const text = z.string();
const time = z.string().refine((value) => !Number.isNaN(Date.parse(value)), "is not a time");
const optionalText = text.nullish().transform((value) => value ?? undefined);
const optionalTime = time.nullish().transform((value) => value ?? undefined);

const settings = z.strictObject({
  metric: z.enum(["net_spend", "order_count"]).optional(),
  window: z.enum(["lifetime", "rolling_days", "calendar_year", "anniversary_year"]).optional(),
  days: z.int().nullish(),
  refundPolicy: z.enum(["immediate", "at_period_end"]).optional(),
  downgrade: z.enum(["drop_to_qualified", "one_down"]).optional(),
  graceDays: z.int().optional(),
});

const level = z.strictObject({ id: text, name: text, threshold: z.int(), cashbackMultiplierBps: z.int() });
const ladder = z.strictObject({ settings: settings.optional(), levels: z.array(level) });
const ladderEdit = ladder.extend({ apply: z.enum(["immediate", "grandfather"]).optional() });

const filter = z.strictObject({ skus: z.array(text).nullish(), categories: z.array(text).nullish() }).nullish();

const campaign = z.strictObject({
  id: text,
  name: optionalText,
  rateBps: z.int(),
  startsAt: optionalTime,
  endsAt: time.nullish(),
  include: filter,
  exclude: filter,
  minOrderMinor: z.int().nullish(),
  stacking: z.enum(["best", "add"]).optional(),
  priority: z.int().nullish(),
  perOrderCapMinor: z.int().nullish(),
  perCustomerCap: z.strictObject({ amountMinor: z.int(), period: z.enum(["day", "month", "campaign"]) }).nullish(),
  budgetMinor: z.int().nullish(),
  holdDays: z.int().nullish(),
  expiry: z
    .strictObject({ type: z.enum(["never", "days", "end_of_month"]), days: z.int().optional(), months: z.int().optional() })
    .nullish(),
  tierMultiplier: z.boolean().optional(),
  status: z.enum(["draft", "active", "paused", "ended"]).optional(),
});

const line = z.strictObject({
  sku: optionalText,
  category: text.nullish(),
  quantity: z.int().optional(),
  netMinor: z.int(),
  /** Of a refund: which line of the order. */
  line: z.int().optional(),
});

const event = z.strictObject({
  type: z.enum(["OrderPlaced", "OrderRefunded", "OrderCancelled"]),
  merchantId: optionalText,
  customerId: text,
  orderId: text,
  refundId: optionalText,
  occurredAt: optionalTime,
  currency: optionalText,
  lines: z.array(line).optional(),
  paidWithCashbackMinor: z.int().optional(),
  reason: text.nullish(),
});

const pinned = { customerId: text, reason: text.optional(), actor: optionalText };
const redeem = z.strictObject({ id: text, customerId: text, amountMinor: z.int(), orderId: optionalText });

/** What a step does; exactly one of these stands in it. */
const actions = {
  event,
  raw: z.string().regex(/^([0-9a-f]{2})*$/i, "is not hexadecimal"),
  sweep: z.literal(true),
  pin: z.strictObject({ ...pinned, levelId: text, until: optionalTime }),
  unpin: z.strictObject({ customerId: text, reason: text.optional(), actor: optionalText }),
  promote: z.strictObject({ ...pinned, until: optionalTime }),
  demote: z.strictObject({ ...pinned, until: optionalTime }),
  ladder: ladderEdit,
  preview: ladderEdit,
  campaign,
  reserve: redeem.extend({ ttlSeconds: z.int() }),
  redeem,
  commit: z.strictObject({ id: text }),
  release: z.strictObject({ id: text }),
  expect: expectation,
};

const step = z
  .strictObject({ at: time.optional(), key: text.optional(), copies: z.int().min(1).optional(), ...z.object(actions).partial().shape })
  .refine(
    (value) => Object.keys(actions).filter((name) => value[name as keyof typeof actions] !== undefined).length === 1,
    "must do exactly one thing",
  )
  .refine(({ at, expect }) => (at === undefined) === (expect !== undefined), "has an `at` unless it expects something");

const merchant = z.strictObject({
  currency: optionalText,
  timeZone: optionalText,
  clawbackPolicy: z.enum(["allow_negative", "clamp_to_zero"]).optional(),
  expiringNoticeDays: z.int().optional(),
});

const story = z.strictObject({
  id: text,
  title: text.optional(),
  reading: z.unknown().optional(),
  merchant: merchant.optional(),
  ladder: ladder.nullish(),
  campaigns: z.array(campaign).nullish(),
  steps: z.array(step),
});

export type Story = z.infer<typeof story>;
export type Step = z.infer<typeof step>;
export type StoryEvent = z.infer<typeof event>;
export type StoryCampaign = z.infer<typeof campaign>;
export type StoryLadder = z.infer<typeof ladder>;

/** The file is not one of stories; the message names the story and the key. */
export class StoryError extends Error {
  override readonly name = "StoryError";
}

/** Reads a file of stories: `{vectors: […]}`, or the list alone. Throws StoryError. */
export function parseStories(json: string): Story[] {
  const content = parseJson(json);
  const list = Array.isArray(content) ? content : (content as { vectors?: unknown } | null)?.vectors;
  if (!Array.isArray(list)) throw new StoryError("no list of stories under `vectors`");
  return list.map((item: unknown, n) => {
    const parsed = story.safeParse(item);
    if (parsed.success) return parsed.data;
    const { id = `number ${n + 1}` } = (item ?? {}) as { id?: string };
    throw new StoryError(`story ${id}: ${parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ")}`);
  });
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new StoryError(`not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
