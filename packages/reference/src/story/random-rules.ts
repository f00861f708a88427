import { timeText, type Instant } from "../model/time.ts";
import type { Random } from "./random.ts";
import type { Campaign, Ladder, Level, Merchant, Products, Settings } from "./types.ts";

const dayMs = 86_400_000;

/** Daylight saving in both hemispheres, of half an hour, at midnight; odd offsets; a date that was skipped (Apia, 30 December 2011). */
const zones = [
  "UTC",
  "Europe/London",
  "America/New_York",
  "Pacific/Apia",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "America/Havana",
  "America/Sao_Paulo",
];

export const skus = ["a", "b", "c"];
export const categories = ["x", "y"];

export function randomMerchant({ pick, chance }: Random): Omit<Merchant, "merchantId"> {
  return {
    currency: pick(["USD", "USD", "EUR", "JPY", "KWD"]),
    timeZone: pick(zones),
    clawbackPolicy: chance(0.7) ? "allow_negative" : "clamp_to_zero",
    expiringNoticeDays: pick([0, 0, 1, 7, 40]),
  };
}

export function randomSettings({ pick }: Random): Settings {
  const window = pick(["rolling_days", "rolling_days", "calendar_year", "anniversary_year", "lifetime"] as const);
  return {
    metric: pick(["net_spend", "net_spend", "order_count"]),
    window,
    days: window === "rolling_days" ? pick([1, 2, 7, 30, 90, 365, 366]) : null,
    refundPolicy: pick(["immediate", "immediate", "at_period_end"]),
    downgrade: pick(["drop_to_qualified", "one_down"]),
    graceDays: pick([0, 0, 1, 5, 30, 400]),
  };
}

export function randomLevels(random: Random, settings: Settings): Level[] {
  const { whole, pick, chance } = random;
  const unit = settings.metric === "order_count" ? 1 : pick([1, 50, 1000, 5000]);
  let threshold = chance(0.6) ? 0 : whole(1, 3) * unit;
  return ["T0", "T1", "T2", "T3"].slice(0, pick([0, 1, 2, 3, 3, 4])).map((id) => {
    const level = { id, name: chance(0.2) ? `${id} of ${whole(1, 3)}` : id, threshold, cashbackMultiplierBps: randomMultiplier(random) };
    threshold += whole(1, 3) * unit;
    return level;
  });
}

function randomMultiplier({ pick }: Random): number {
  return pick([10_000, 10_000, 12_500, 15_000, 33_333, 5_000, 1, 0]);
}

/** An edit that differs from the ladder in one or two things, or in all. */
export function changedLadder(random: Random, ladder: Ladder): Ladder {
  const { pick, chance, whole } = random;
  const fresh = randomSettings(random);
  const { settings, levels } = ladder;
  const edits: (() => Ladder)[] = [
    () => ({ settings: fresh, levels: randomLevels(random, fresh) }),
    () => ({ settings: fresh, levels }),
    () => ({ settings: { ...settings, graceDays: fresh.graceDays }, levels }),
    () => ({ settings: { ...settings, refundPolicy: fresh.refundPolicy, downgrade: fresh.downgrade }, levels }),
    () => ({ settings, levels: randomLevels(random, settings) }),
    () => ({ settings, levels: levels.filter(() => chance(0.6)) }),
    () => ({ settings, levels: levels.map((level) => ({ ...level, name: `${level.id} new ${whole(1, 9)}` })) }),
    () => ({ settings, levels: levels.map((level) => ({ ...level, cashbackMultiplierBps: randomMultiplier(random) })) }),
    () => ({ settings, levels: stretched(levels, pick([1, 2, 7])) }),
    () => ({ settings, levels: levels.slice(1).map((level, below) => ({ ...level, threshold: levels[below]!.threshold })) }),
    () => ladder,
  ];
  return pick(edits)();
}

function stretched(levels: readonly Level[], more: number): Level[] {
  return levels.map((level, rank) => ({ ...level, threshold: level.threshold + more * (rank + 1) }));
}

/** A campaign that pays nearly always, so that there is something to spend and to take back. */
export function generousCampaign(random: Random, id: string, now: Instant): Campaign {
  const { pick, whole, chance } = random;
  return {
    ...randomCampaign(random, id, now),
    rateBps: pick([500, 1000, 3333, 10_000]),
    startsAt: "2000-01-01T00:00:00Z",
    endsAt: null,
    include: null,
    minOrderMinor: 0,
    perOrderCapMinor: chance(0.8) ? null : whole(1, 1000),
    perCustomerCap: chance(0.85) ? null : { amountMinor: whole(100, 3000), period: pick(["day", "month", "campaign"]) },
    budgetMinor: chance(0.85) ? null : 5000,
    status: "active",
  };
}

/** Every field is written out: an edit says all that the campaign then is. */
export function randomCampaign(random: Random, id: string, now: Instant): Campaign {
  const { pick, whole, chance } = random;
  return {
    id,
    name: chance(0.2) ? `Campaign ${id}` : id,
    rateBps: pick([1, 250, 500, 1000, 3333, 10_000, 10_000, 100_000]),
    startsAt: chance(0.9) ? "2000-01-01T00:00:00Z" : timeText(now + whole(-40, 10) * dayMs),
    endsAt: chance(0.9) ? null : timeText(now + whole(11, 60) * dayMs),
    include: chance(0.7) ? null : randomProducts(random),
    exclude: chance(0.8) ? null : randomProducts(random),
    minOrderMinor: chance(0.8) ? 0 : whole(1, 3000),
    stacking: pick(["best", "add"]),
    priority: whole(-1, 2),
    perOrderCapMinor: chance(0.7) ? null : whole(1, 1000),
    perCustomerCap: chance(0.7) ? null : { amountMinor: pick([whole(1, 300), whole(1, 3000)]), period: pick(["day", "month", "campaign"]) },
    budgetMinor: chance(0.7) ? null : pick([1, 7, 100, 1000, 5000]),
    holdDays: pick([0, 0, 0, 1, 14, 40]),
    expiry: randomExpiry(random),
    tierMultiplier: chance(0.6),
    status: chance(0.9) ? "active" : pick(["paused", "ended"]),
  };
}

function randomExpiry({ pick, whole, chance }: Random): Campaign["expiry"] {
  if (chance(0.5)) return { type: "never" };
  return chance(0.6) ? { type: "days", days: pick([1, 3, 30, 90, 365]) } : { type: "end_of_month", months: whole(0, 3) };
}

function randomProducts({ pick, chance }: Random): Products {
  const products = { skus: chance(0.5) ? [pick(skus)] : [], categories: chance(0.5) ? [pick(categories)] : [] };
  return chance(0.2) ? { skus: products.skus } : products;
}
