import { randomUUID } from "node:crypto";
import type { CampaignDefinition } from "@perkstream/cashback";
import type { OrderEvent } from "@perkstream/contracts";
import type { Merchant } from "@perkstream/merchant";
import type { LadderChange, TierCommand } from "@perkstream/tier";
import type { RedemptionStep, VerifyBed } from "./bed.ts";

const DAY_MS = 86_400_000;
const ZONES = ["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];

/** mulberry32: the same seed is the same story. */
function randomOf(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return { int, chance: (p: number) => next() < p, pick: <T>(values: readonly T[]): T => values[int(0, values.length - 1)] as T };
}

type Random = ReturnType<typeof randomOf>;
type Fed = { event: OrderEvent; atMs: number };

/** Lives through a random year of one merchant: everything that a program stores comes about. Answers the merchant. */
export async function playRandomStory(bed: VerifyBed, seed: number, steps: number): Promise<Merchant> {
  const story = new RandomStory(bed, randomOf(seed));
  return story.play(`random ${seed}`, steps);
}

class RandomStory {
  readonly #bed: VerifyBed;
  readonly #random: Random;
  readonly #placed: Extract<OrderEvent, { type: "OrderPlaced" }>[] = [];
  readonly #redemptions: { readonly id: string; readonly customerId: string }[] = [];
  #merchant!: Merchant;
  #merchantId = "";
  #now = Date.UTC(2025, 0, 1);
  #waiting: Fed[] = [];

  constructor(bed: VerifyBed, random: Random) {
    this.#bed = bed;
    this.#random = random;
  }

  async play(name: string, steps: number): Promise<Merchant> {
    const { pick, chance } = this.#random;
    const merchantId = randomUUID();
    // Events of a merchant that does not exist are dead letters, which may be read once more later.
    this.#merchantId = merchantId;
    for (let i = 0; chance(0.7) && i < 8; i++) this.#waiting.push({ event: this.#event(i, pick([0, 0, 50, 60])), atMs: this.#now });
    await this.#flush();
    this.#merchant = await this.#bed.merchant({
      merchantId,
      name,
      currency: "EUR",
      timeZone: pick(ZONES),
      clawbackPolicy: pick(["allow_negative", "clamp_to_zero"]),
      expiringNoticeDays: pick([0, 3, 20]),
    });
    await this.#bed.ladder(this.#merchant, this.#ladder());
    for (const id of ["k1", "k2", "k3"]) await this.#bed.campaign(this.#merchant, this.#campaign(id), this.#now);
    for (let i = 0; i < steps; i++) await this.#step(i);
    await this.#flush();
    if (this.#random.chance(0.5)) await this.#bed.sweep(this.#merchant.merchantId, this.#now + 40 * DAY_MS);
    return this.#merchant;
  }

  async #step(i: number): Promise<void> {
    const { int, chance } = this.#random;
    if (chance(0.5)) this.#now += chance(0.2) ? int(1, 12) * DAY_MS : int(0, 3_600_000);
    const what = int(0, 99);
    if (what < 68) {
      this.#waiting.push({ event: this.#event(i, what), atMs: this.#now });
      if (chance(0.3)) await this.#flush();
      return;
    }
    if (what < 72 && chance(0.7)) return this.#flush();
    await this.#flush();
    if (what < 82) await this.#redemption(i);
    else if (what < 88) await this.#pin();
    else if (what < 91) await this.#bed.ladder(this.#merchant, this.#ladder(), chance(0.5));
    else if (what < 94) await this.#bed.campaign(this.#merchant, this.#campaign(this.#random.pick(["k1", "k2", "k3"])), this.#now);
    else if (what < 94 + 1) await this.#redrive();
    else if (what < 97) this.#merchant = await this.#bed.settings(this.#merchant, this.#settings(), this.#now);
    else await this.#bed.sweep(this.#merchant.merchantId, this.#now);
  }

  async #flush(): Promise<void> {
    const events = this.#waiting;
    this.#waiting = [];
    await this.#bed.feed(events, this.#random.int(1, Math.max(1, events.length)));
  }

  #event(i: number, what: number): OrderEvent {
    const { pick, chance } = this.#random;
    if (what < 44 || this.#placed.length === 0) return this.#order();
    const order = pick(this.#placed);
    if (what < 48) return chance(0.8) ? order : { ...order, lines: [...order.lines, order.lines[0]!] };
    const { merchantId, customerId, orderId } = order;
    const base = {
      merchantId,
      customerId: chance(0.05) ? "c9" : customerId,
      orderId: chance(0.12) ? `o${this.#placed.length}` : orderId,
      occurredAt: this.#now,
    };
    if (what < 52) return { type: "OrderCancelled", ...base, reason: null };
    return { type: "OrderRefunded", ...base, refundId: chance(0.1) ? "same" : `r${i}`, lines: this.#refundLines(order) };
  }

  #order(): OrderEvent {
    const { int, chance, pick } = this.#random;
    const lines = Array.from({ length: int(1, 3) }, () => ({
      sku: pick(["a", "b", "c"]),
      category: pick([null, "x", "y"]),
      quantity: 1,
      netMinor: BigInt(int(0, 900)),
    }));
    const net = lines.reduce((total, line) => total + line.netMinor, 0n);
    const order = {
      type: "OrderPlaced" as const,
      merchantId: this.#merchantId,
      customerId: `c${int(1, 4)}`,
      orderId: `o${this.#placed.length}`,
      occurredAt: chance(0.2) ? this.#now - int(0, 60) * DAY_MS : this.#now + (chance(0.1) ? int(0, 400_000) : 0),
      currency: chance(0.02) ? "USD" : "EUR",
      lines,
      paidWithCashbackMinor: chance(0.2) ? BigInt(int(0, Number(net))) : 0n,
    };
    this.#placed.push(order);
    return order;
  }

  #refundLines(order: Extract<OrderEvent, { type: "OrderPlaced" }>) {
    const { int, chance } = this.#random;
    const lines = order.lines.flatMap(({ netMinor }, line) =>
      chance(0.6) ? [{ line, netMinor: chance(0.4) && netMinor > 0n ? netMinor : BigInt(int(1, Math.max(1, Number(netMinor)))) }] : [],
    );
    return lines.length > 0 ? lines : [{ line: 0, netMinor: 1n }];
  }

  async #redemption(i: number): Promise<void> {
    const { int, chance, pick } = this.#random;
    const known = this.#redemptions.length > 0 && chance(0.6) ? pick(this.#redemptions) : null;
    let step: RedemptionStep;
    if (known !== null) {
      const kind = pick(["commit", "release", "link"] as const);
      step = kind === "link" ? { kind, ...known, orderId: `o${int(0, this.#placed.length)}` } : { kind, ...known };
    } else {
      const made = { id: `${this.#merchant.merchantId}-p${i}`, customerId: `c${int(1, 5)}` };
      this.#redemptions.push(made);
      const orderId = chance(0.5) ? `o${int(0, this.#placed.length)}` : null;
      step = { kind: pick(["reserve", "redeem"]), ...made, amountMinor: int(1, 60), orderId, ttlMs: pick([60_000, DAY_MS, 10 * DAY_MS]) };
    }
    await this.#bed.redemption(this.#merchant, step, this.#now);
  }

  async #redrive(): Promise<void> {
    const letters = await this.#bed.letters(this.#merchantId);
    for (let i = 0; i < 3 && letters.length > 0; i++) await this.#bed.redrive(this.#random.pick(letters));
  }

  async #pin(): Promise<void> {
    const { int, chance, pick } = this.#random;
    const untilAt = chance(0.6) ? this.#now + int(1, 30) * DAY_MS : null;
    const kind = pick(["pin", "promote", "demote", "unpin"] as const);
    const command: TierCommand =
      kind === "unpin"
        ? { kind }
        : kind === "pin"
          ? { kind, levelId: pick(["T0", "T1", "T2", "T9"]), note: "why", untilAt }
          : { kind, note: "why", untilAt };
    await this.#bed.tierCommand(this.#merchant, `c${int(1, 5)}`, command, "ann", this.#now);
  }

  #ladder(): LadderChange {
    const { int, chance, pick } = this.#random;
    const metric = pick(["net_spend", "net_spend", "order_count"] as const);
    const unit = metric === "net_spend" ? 700 : 1;
    const window = pick(["lifetime", "rolling_days", "rolling_days", "calendar_year", "anniversary_year"] as const);
    const lowest = pick([0, 0, unit]);
    const levels = [lowest, lowest + unit * int(1, 3), lowest + unit * int(4, 8)].map((threshold, rank) => ({
      id: `T${rank}`,
      name: `Level ${rank}`,
      threshold,
      cashbackMultiplierBps: 10_000 + rank * int(0, 3) * 1_250,
    }));
    return {
      settings: {
        metric,
        window,
        ...(window === "rolling_days" ? { days: pick([7, 30, 90]) } : {}),
        refundPolicy: pick(["immediate", "at_period_end"]),
        downgrade: pick(["drop_to_qualified", "one_down"]),
        graceDays: pick([0, 0, 5]),
      },
      levels: chance(0.2) ? levels.slice(0, 2) : levels,
      apply: pick(["immediate", "grandfather"]),
      actor: "bob",
      atMs: this.#now,
    };
  }

  #campaign(id: string): Partial<CampaignDefinition> & { readonly id: string } {
    const { int, chance, pick } = this.#random;
    return {
      id,
      rateBps: pick([250, 500, 1_000, 3_333]),
      stacking: pick(["best", "add"]),
      priority: int(0, 2),
      holdDays: pick([0, 0, 3, 14]),
      expiry: pick([{ type: "never" }, { type: "days", days: int(1, 30) }, { type: "end_of_month", months: int(0, 1) }] as const),
      tierMultiplier: chance(0.6),
      include: chance(0.3) ? { skus: ["a", "b"] } : null,
      exclude: chance(0.2) ? { categories: ["x"] } : null,
      perOrderCapMinor: chance(0.3) ? int(1, 60) : null,
      perCustomerCap: chance(0.4) ? { amountMinor: int(1, 150), period: pick(["day", "month", "campaign"]) } : null,
      budgetMinor: chance(0.4) ? (chance(0.5) ? int(1, 400) : 1_000_000) : null,
      minOrderMinor: chance(0.2) ? int(1, 500) : 0,
      status: chance(0.15) ? "paused" : "active",
    };
  }

  #settings() {
    const { pick } = this.#random;
    return pick([
      { timeZone: pick(ZONES) },
      { expiringNoticeDays: pick([0, 2, 30]) },
      { clawbackPolicy: pick(["allow_negative", "clamp_to_zero"] as const) },
      { timeZone: pick(ZONES), expiringNoticeDays: pick([0, 5]) },
    ]);
  }
}
