import { available, lotsOf, sums } from "../model/book.ts";
import { ladderOf } from "../model/world.ts";
import { textOf, type Plot } from "./plot.ts";
import { orderToName } from "./random-events.ts";
import { changedLadder, randomCampaign } from "./random-rules.ts";
import type { Campaign, LadderEdit, MoveInput, Step } from "./types.ts";

const dayMs = 86_400_000;

/** Anything that is not an event. */
export function randomCommand(plot: Plot, at: string): Step[] {
  const { random } = plot;
  const { sweep, spend, end, pin, edit } = plot.profile.commands;
  let dice = random.whole(1, 100);
  const isNow = (share: number) => (dice -= share) <= 0;
  if (isNow(sweep)) return [{ at, sweep: true }];
  if (isNow(spend + end)) return canSpend(plot) ? [random.whole(1, spend + end) <= spend ? spending(plot, at) : ending(plot, at)] : [];
  if (isNow(pin)) return [pinning(plot, at)];
  return isNow(edit) ? editing(plot, at) : [campaigning(plot, at)];
}

function canSpend({ random, customers, model: { world } }: Plot): boolean {
  return random.chance(0.1) || customers.some((customerId) => available(world.book, customerId) > 0n);
}

function spending(plot: Plot, at: string): Step {
  const { random, model } = plot;
  const { book } = model.world;
  const rich = plot.customers.filter((customerId) => available(book, customerId) > 0n);
  const customerId = random.pick(rich.length > 0 && random.chance(0.9) ? rich : plot.customers);
  const id = `p${book.redemptions.length + model.world.refusals.length + 1}`;
  const orderId = random.chance(0.6) ? { orderId: orderToName(plot, customerId) } : {};
  const redemption = { id, customerId, amountMinor: amountToSpend(plot, customerId), ...orderId };
  if (random.chance(0.4)) return { at, redeem: redemption };
  return { at, reserve: { ...redemption, ttlSeconds: random.pick([60, 60, 3600, 86_400, 864_000, 2_592_000]) } };
}

function amountToSpend({ random, model }: Plot, customerId: string): number {
  const { book } = model.world;
  const there = Number(available(book, customerId));
  const inOneLot = Number(
    lotsOf(book, customerId)
      .map((lot) => sums(book, lot).available)
      .find((amount) => amount > 0n) ?? 1n,
  );
  return Math.max(
    1,
    random.pick([there, there, there, there, there + 1, Math.floor(there / 2), inOneLot, inOneLot + 1, 1, random.whole(1, there + 1)]),
  );
}

function ending(plot: Plot, at: string): Step {
  const { random } = plot;
  const { redemptions } = plot.model.world.book;
  if (redemptions.length === 0) return spending(plot, at);
  const open = redemptions.filter(({ status }) => status === "reserved");
  const { id } = random.pick(open.length > 0 && random.chance(0.85) ? open : redemptions);
  return random.chance(0.5) ? { at, commit: { id } } : { at, release: { id } };
}

function pinning(plot: Plot, at: string): Step {
  const { random, model } = plot;
  const customerId = random.pick(plot.customers);
  const until = random.chance(0.5) ? { until: textOf(Date.parse(at) + random.pick([1, 60_000, dayMs, 30 * dayMs, 400 * dayMs])) } : {};
  const move: MoveInput = { customerId, reason: "goodwill", actor: "ann", ...until };
  const { levels } = ladderOf(model.world);
  switch (random.whole(1, 4)) {
    case 1:
      return { at, promote: move };
    case 2:
      return { at, demote: move };
    case 3:
      return { at, unpin: { customerId, actor: "bob" } };
    default:
      return { at, pin: { ...move, levelId: random.pick([...levels.map(({ id }) => id), ...(random.chance(0.1) ? ["T9"] : []), "T0"]) } };
  }
}

function editing(plot: Plot, at: string): Step[] {
  const { random, model } = plot;
  const edit: LadderEdit = { ...changedLadder(random, ladderOf(model.world)), apply: random.pick(["immediate", "grandfather"]) };
  const preview = { at, preview: edit };
  const put = { at, ladder: edit };
  return random.chance(0.4) ? [preview, put] : random.chance(0.3) ? [preview] : [put];
}

function campaigning(plot: Plot, at: string): Step {
  const { random, model } = plot;
  const id = random.pick(plot.campaignIds);
  const now = model.world.campaigns.get(id)?.at(-1)?.campaign;
  const fresh = randomCampaign(random, id, plot.now);
  if (now === undefined || random.chance(0.5)) return { at, campaign: fresh };
  const { status, budgetMinor, perCustomerCap, perOrderCapMinor, rateBps, holdDays, expiry, stacking, priority, tierMultiplier } = fresh;
  const { include, exclude, minOrderMinor, startsAt, endsAt } = fresh;
  const few = random.pick<Partial<Campaign>>([
    { status },
    { budgetMinor },
    { perCustomerCap },
    { perOrderCapMinor, rateBps },
    { holdDays },
    { expiry },
    { include, exclude, minOrderMinor },
    { stacking, priority },
    { tierMultiplier },
    { startsAt, endsAt },
  ]);
  // An edit may set any status but draft.
  return { at, campaign: { ...now, ...(now.status === "draft" ? { status: "active" } : {}), ...few } };
}
