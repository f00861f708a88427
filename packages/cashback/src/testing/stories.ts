import type { CampaignText, EventText, Step, Vector } from "./vectors.ts";

const DAY_MS = 86_400_000;

/** A small generator with a printed seed (mulberry32): the same seed is the same story everywhere. */
export function randomOf(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    int,
    chance: (probability: number) => next() < probability,
    pick: <T>(values: readonly T[]): T => values[int(0, values.length - 1)] as T,
  };
}

type Random = ReturnType<typeof randomOf>;

function randomCampaign(random: Random, id: string): CampaignText {
  const { int, chance, pick } = random;
  return {
    id,
    rateBps: pick([250, 500, 1000, 3333]),
    stacking: pick(["best", "add"]),
    priority: int(0, 2),
    holdDays: pick([0, 0, 3, 14]),
    expiry: pick([{ type: "never" }, { type: "days", days: int(1, 30) }, { type: "end_of_month", months: int(0, 1) }]),
    tierMultiplier: false,
    ...(chance(0.3) ? { include: { skus: ["a", "b"] } } : {}),
    ...(chance(0.2) ? { exclude: { categories: ["x"] } } : {}),
    ...(chance(0.3) ? { perOrderCapMinor: int(1, 60) } : {}),
    ...(chance(0.4) ? { perCustomerCap: { amountMinor: int(1, 150), period: pick(["day", "month", "campaign"]) } } : {}),
    ...(chance(0.3) ? { budgetMinor: int(1, 400) } : {}),
    ...(chance(0.2) ? { minOrderMinor: int(1, 500) } : {}),
  };
}

interface Placed {
  readonly event: EventText;
  readonly at: number;
}

/** A random story of some customers of one merchant: orders, refunds, repeats, redemptions, edits, sweeps, over some months. */
export function randomStory(seed: number, length = 60): Vector {
  const random = randomOf(seed);
  const { int, chance, pick } = random;
  const campaigns = Array.from({ length: int(1, 3) }, (_, i) => randomCampaign(random, `k${i}`));
  const steps: Step[] = [];
  const placed: Placed[] = [];
  const redemptions: string[] = [];
  let now = Date.UTC(2025, 0, 1, int(0, 23));
  for (let i = 0; i < length; i++) {
    if (chance(0.5)) now += chance(0.3) ? int(1, 12) * DAY_MS : int(0, 3_600_000);
    const at = new Date(now).toISOString();
    const what = int(0, 99);
    if (what < 40) steps.push({ at, event: randomOrder(random, now, placed, redemptions) });
    else if (what < 58 && placed.length > 0) steps.push({ at, event: randomRefund(random, i, pick(placed).event) });
    else if (what < 62 && placed.length > 0)
      steps.push({ at, event: { type: "OrderCancelled", customerId: pick(placed).event.customerId, orderId: pick(placed).event.orderId } });
    else if (what < 66 && placed.length > 0) steps.push({ at, event: repeated(pick(placed)) });
    else if (what < 69)
      steps.push({
        at,
        event: randomRefund(random, i, { type: "OrderPlaced", customerId: `c${int(1, 3)}`, orderId: `o${placed.length}` }),
      });
    else if (what < 74)
      steps.push({ at, campaign: { ...randomCampaign(random, pick(campaigns).id), ...(chance(0.2) ? { status: "paused" } : {}) } });
    else if (what < 88) steps.push(randomRedemption(random, at, redemptions));
    else steps.push({ at, sweep: true });
  }
  steps.push({ at: new Date(now + 400 * DAY_MS).toISOString(), sweep: true });
  const merchant = {
    currency: "EUR",
    timeZone: pick(["UTC", "America/New_York", "Australia/Lord_Howe"]),
    clawbackPolicy: pick(["allow_negative", "clamp_to_zero"]),
    expiringNoticeDays: pick([0, 0, 3, 40]),
  };
  return {
    id: `seed-${seed}`,
    title: `story ${seed}`,
    merchant,
    ladder: { settings: { window: "lifetime" }, levels: [] },
    campaigns,
    steps,
  };
}

function randomOrder({ int, chance, pick }: Random, now: number, placed: Placed[], redemptions: readonly string[]): EventText {
  const lines = Array.from({ length: int(1, 3) }, () => ({
    sku: pick(["a", "b", "c"]),
    category: pick([null, "x", "y"]),
    netMinor: int(0, 900),
  }));
  const net = lines.reduce((total, line) => total + line.netMinor, 0);
  const event: EventText = {
    type: "OrderPlaced",
    customerId: `c${int(1, 3)}`,
    orderId: `o${placed.length}`,
    occurredAt: new Date(chance(0.2) ? now - int(0, 60) * DAY_MS : now).toISOString(),
    lines,
    ...(chance(0.2) && redemptions.length > 0 ? { paidWithCashbackMinor: int(0, net) } : {}),
  };
  placed.push({ event, at: now });
  return event;
}

function repeated({ event }: Placed): EventText {
  return event;
}

function randomRefund({ int, chance }: Random, i: number, order: EventText): EventText {
  const lines = (order.lines ?? [{ netMinor: 50 }]).flatMap((line, position) =>
    chance(0.6) ? [{ line: position, netMinor: chance(0.4) ? Math.max(1, line.netMinor) : int(1, Math.max(1, line.netMinor)) }] : [],
  );
  return {
    type: "OrderRefunded",
    customerId: chance(0.05) ? "c9" : order.customerId,
    orderId: order.orderId,
    refundId: chance(0.1) ? "same" : `r${i}`,
    lines: lines.length > 0 ? lines : [{ line: 0, netMinor: 1 }],
  };
}

function randomRedemption({ int, chance, pick }: Random, at: string, redemptions: string[]): Step {
  if (chance(0.4) && redemptions.length > 0) return { at, [pick(["commit", "release"])]: { id: pick(redemptions) } };
  const id = `p${redemptions.length}`;
  redemptions.push(id);
  const take = { id, customerId: `c${int(1, 3)}`, amountMinor: int(1, 60), ...(chance(0.6) ? { orderId: `o${int(0, 12)}` } : {}) };
  return chance(0.5) ? { at, redeem: take } : { at, reserve: { ...take, ttlSeconds: pick([60, 86_400, 10 * 86_400, 30 * 86_400]) } };
}
