import { beats, type Campaign, type CapPeriod, matchesLine, notEligible, type NotEligibleReason } from "./campaign.ts";
import { earned, min, spread, sum } from "./money.ts";

export interface OrderLine {
  readonly sku: string;
  readonly category: string | null;
  readonly netMinor: bigint;
}

export interface Purchase {
  readonly occurredAt: number;
  readonly lines: readonly OrderLine[];
  readonly paidWithCashbackMinor: bigint;
}

/** What a campaign's limits have left for one customer and one order. Asked only for campaigns that have the limit. */
export interface Limits {
  customerCapLeft(campaign: Campaign, period: CapPeriod, capMinor: bigint): bigint;
  budgetLeft(campaign: Campaign, budgetMinor: bigint): bigint;
  /** An award takes from caps and budget (above 0), a clawback gives back (below 0). */
  use(campaign: number, amountMinor: bigint): void;
}

export type ZeroReason = "no_line" | "rounded_to_zero" | "customer_cap" | "budget";

/**
 * The award of one eligible campaign for one order, as granted, with every step of its reckoning.
 * Everything but `currentMinor` is pinned; an `after…` is null where the campaign has no such limit.
 */
export interface Award {
  readonly campaign: number;
  readonly campaignId: string;
  readonly version: number;
  readonly priority: number;
  readonly rateBps: number;
  readonly multiplierBps: number;
  readonly perOrderCapMinor: bigint | null;
  /** Positions of the lines that it pays for, ascending. */
  readonly lines: readonly number[];
  readonly baseMinor: bigint;
  readonly earnedMinor: bigint;
  readonly afterOrderCapMinor: bigint | null;
  readonly afterCustomerCapMinor: bigint | null;
  readonly afterBudgetMinor: bigint | null;
  readonly awardedMinor: bigint;
  /** After refunds. */
  currentMinor: bigint;
}

export interface NotEligible {
  readonly campaign: number;
  readonly campaignId: string;
  readonly reason: NotEligibleReason;
}

export interface Judgement {
  /** The eligible campaigns by priority, then id, and what each awards. */
  readonly eligible: readonly Campaign[];
  readonly awards: readonly Award[];
  readonly notEligible: readonly NotEligible[];
}

/** A line's base is its net less its share of what was paid with cashback (programs.md, Cashback 1). */
export function bases(lines: readonly { readonly netMinor: bigint }[], paidWithCashbackMinor: bigint): bigint[] {
  const nets = lines.map((line) => line.netMinor);
  if (paidWithCashbackMinor === 0n) return nets;
  const shares = spread(paidWithCashbackMinor, nets);
  for (let i = 0; i < nets.length; i++) nets[i] = (nets[i] ?? 0n) - (shares[i] ?? 0n);
  return nets;
}

/** Which of the eligible campaigns pays for which lines: every `add` that matches, and the best `best`. */
function assignLines(eligible: readonly Campaign[], lines: readonly OrderLine[]): number[][] {
  const taken: number[][] = eligible.map(() => []);
  for (let position = 0; position < lines.length; position++) {
    const line = lines[position];
    if (line === undefined) continue;
    let best = -1;
    for (let i = 0; i < eligible.length; i++) {
      const campaign = eligible[i];
      if (campaign === undefined || !matchesLine(campaign, line.sku, line.category)) continue;
      if (campaign.stacking === "add") taken[i]?.push(position);
      else if (best < 0 || beats(campaign, eligible[best] ?? campaign)) best = i;
    }
    if (best >= 0) taken[best]?.push(position);
  }
  return taken;
}

function reckon(
  campaign: Campaign,
  lines: readonly number[],
  lineBases: readonly bigint[],
  levelMultiplierBps: number,
  limits: Limits,
): Award {
  let baseMinor = 0n;
  for (const position of lines) baseMinor += lineBases[position] ?? 0n;
  const multiplierBps = campaign.tierMultiplier ? levelMultiplierBps : 10_000;
  const earnedMinor = earned(baseMinor, campaign.rateBps, multiplierBps);
  const { perOrderCapMinor, perCustomerCap, budgetMinor } = campaign;
  let award = earnedMinor;
  let afterOrderCapMinor: bigint | null = null;
  if (perOrderCapMinor !== null) award = afterOrderCapMinor = min(award, perOrderCapMinor);
  let afterCustomerCapMinor: bigint | null = null;
  if (perCustomerCap !== null) {
    const left = limits.customerCapLeft(campaign, perCustomerCap.period, perCustomerCap.amountMinor);
    award = afterCustomerCapMinor = min(award, left > 0n ? left : 0n);
  }
  let afterBudgetMinor: bigint | null = null;
  if (budgetMinor !== null) {
    const left = award === 0n ? 0n : limits.budgetLeft(campaign, budgetMinor);
    award = afterBudgetMinor = min(award, left > 0n ? left : 0n);
  }
  return {
    campaign: campaign.campaign,
    campaignId: campaign.campaignId,
    version: campaign.version,
    priority: campaign.priority,
    rateBps: campaign.rateBps,
    multiplierBps,
    perOrderCapMinor,
    lines,
    baseMinor,
    earnedMinor,
    afterOrderCapMinor,
    afterCustomerCapMinor,
    afterBudgetMinor,
    awardedMinor: award,
    currentMinor: award,
  };
}

/**
 * Judges an order by the merchant's campaigns (programs.md, Cashback 1 to 4). Nothing is posted, nor taken from caps and
 * budgets: `grant` does. `campaigns` are the versions that hold, by priority then id; drafts are left out of both lists.
 */
export function judgeOrder(order: Purchase, campaigns: readonly Campaign[], levelMultiplierBps: number, limits: Limits): Judgement {
  const lineBases = bases(order.lines, order.paidWithCashbackMinor);
  const baseMinor = sum(lineBases);
  const eligible: Campaign[] = [];
  const refused: NotEligible[] = [];
  for (const campaign of campaigns) {
    if (campaign.status === "draft") continue;
    const reason = notEligible(campaign, order.occurredAt, baseMinor);
    if (reason === null) eligible.push(campaign);
    else refused.push({ campaign: campaign.campaign, campaignId: campaign.campaignId, reason });
  }
  const taken = assignLines(eligible, order.lines);
  const awards = eligible.map((campaign, i) => reckon(campaign, taken[i] ?? [], lineBases, levelMultiplierBps, limits));
  return { eligible, awards, notEligible: refused };
}

/** Why an award is zero: the first step that left nothing; null when it is above zero. */
export function zeroReason(award: Award): ZeroReason | null {
  if (award.awardedMinor > 0n) return null;
  if (award.lines.length === 0) return "no_line";
  if (award.earnedMinor === 0n) return "rounded_to_zero";
  return award.afterCustomerCapMinor === 0n ? "customer_cap" : "budget";
}

/** The award as granted, shared over all lines of the order by their bases (programs.md, Cashback 4). */
export function awardShares(award: Award, lineBases: readonly bigint[]): bigint[] {
  const weights = lineBases.map(() => 0n);
  for (const position of award.lines) weights[position] = lineBases[position] ?? 0n;
  return spread(award.awardedMinor, weights);
}

/** What a refund leaves of a line's base: floor(base × remaining / net). */
function remainingBase(baseMinor: bigint, remainingMinor: bigint, netMinor: bigint): bigint {
  if (remainingMinor === netMinor) return baseMinor;
  return netMinor === 0n ? 0n : (baseMinor * remainingMinor) / netMinor;
}

/**
 * What an award is worth after refunds: at most what it was, by the pinned formula over what remains (programs.md, Cashback 5).
 * `remaining` are the remaining nets of all lines.
 */
export function refundTarget(
  award: Award,
  lines: readonly { readonly netMinor: bigint }[],
  lineBases: readonly bigint[],
  remaining: readonly bigint[],
): bigint {
  let baseMinor = 0n;
  for (const position of award.lines) {
    baseMinor += remainingBase(lineBases[position] ?? 0n, remaining[position] ?? 0n, lines[position]?.netMinor ?? 0n);
  }
  let target = earned(baseMinor, award.rateBps, award.multiplierBps);
  if (award.perOrderCapMinor !== null) target = min(target, award.perOrderCapMinor);
  return min(target, award.awardedMinor);
}
