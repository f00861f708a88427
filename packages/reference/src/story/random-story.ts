import { openModel } from "../model/model.ts";
import { type Profile, randomProfile } from "./profile.ts";
import { randomFrom, type Random } from "./random.ts";
import { nextMoment, randomPace, randomStart, textOf, type Plot } from "./plot.ts";
import { randomCommand } from "./random-commands.ts";
import { randomEvent } from "./random-events.ts";
import { generousCampaign, randomCampaign, randomLevels, randomMerchant, randomSettings } from "./random-rules.ts";
import type { Campaign, Step, Story } from "./types.ts";

export interface StoryOptions {
  /** How many steps, about. Default 40. */
  readonly size?: number;
  /** Customers share no order ids, as they would have to with several partitions. Default false. */
  readonly apart?: boolean;
}

/** A story of a few customers with few ids, so that repeats, conflicts and refunds before orders happen. The same seed is the same story. */
export function randomStory(seed: number, { size = 40, apart = false }: StoryOptions = {}): Story {
  const random = randomFrom(seed);
  const profile = randomProfile(random);
  const settings = randomSettings(random);
  const start = settings.window === "anniversary_year" && random.chance(0.4) ? Date.parse("2024-02-29T12:00:00Z") : randomStart(random);
  const campaignIds = ["k1", "k2", "k3", "k4"];
  const newCampaign = profile.isGenerous ? generousCampaign : randomCampaign;
  const opening = {
    merchant: randomMerchant(random),
    ladder: { settings, levels: profile.hasLevels || random.chance(0.3) ? randomLevels(random, settings) : [] },
    campaigns: profile.hasCampaigns
      ? campaignIds.slice(0, random.whole(1, 4)).map((id) => drafted(random, newCampaign(random, id, start)))
      : [],
  };
  const plot: Plot = {
    random,
    model: openModel(opening),
    ...randomIds(random, profile),
    campaignIds,
    sent: [],
    apart,
    profile,
    pace: randomPace(random),
    now: start,
  };
  return { id: `S${seed}`, title: `random story of seed ${seed}`, ...opening, steps: writeSteps(plot, random, size) };
}

function drafted({ chance }: Random, campaign: Campaign): Campaign {
  return chance(0.04) ? { ...campaign, status: "draft" } : campaign;
}

/** Few, so that they meet again; sometimes with characters that somebody may have to quote. */
function randomIds({ whole, pick, chance }: Random, { orderIds }: Profile): Pick<Plot, "customers" | "orderIds"> {
  const hostile = chance(0.1);
  const customers = hostile ? ['c"1\\', "c,{2}", "ć 😀3"] : ["c1", "c2", "c3"];
  const nameOf = (number: number) => (hostile ? `${"ö😀".repeat(number % 24)}"${number}\\,{}'` : `o${number}`);
  return {
    customers: customers.slice(0, whole(1, 3)),
    orderIds: Array.from({ length: pick(orderIds) }, (_, number) => nameOf(number + 1)),
  };
}

function writeSteps(plot: Plot, random: Random, size: number): Step[] {
  const steps: Step[] = [];
  const eventShare = random.pick(plot.profile.events) / 100;
  const length = random.whole(Math.ceil(size / 4), size);
  while (steps.length < length) {
    const at = textOf(steps.length === 0 ? plot.now : nextMoment(plot));
    for (const step of random.chance(eventShare) ? [randomEvent(plot, at)] : randomCommand(plot, at)) {
      plot.model.apply(step);
      steps.push(step);
    }
  }
  return steps;
}
