import { campaignOf, merchantOf } from "../story/defaults.ts";
import type { CampaignInput, Ladder, Merchant, Story } from "../story/types.ts";
import type { Version } from "./award.ts";
import type { Book } from "./book.ts";
import type { Change, Ground, Member } from "./member.ts";
import type { DeadLetter, LoggedEvent, Order } from "./orders.ts";
import type { Instant } from "./time.ts";
import { countedOf } from "./windows.ts";

/** A change of level as it is kept: with where it holds from. */
export interface HistoryEntry extends Change {
  readonly customerId: string;
  readonly offset: number;
  readonly ruleVersion: number;
  readonly orderId: string | null;
}

/** All that the log and the commands so far have made. */
export interface World {
  readonly merchant: Merchant;
  /** All versions, the newest last; version 1 is the first. */
  readonly ladders: Ladder[];
  readonly campaigns: Map<string, Version[]>;
  readonly orders: Order[];
  parked: LoggedEvent[];
  readonly members: Map<string, Member>;
  /** The last as-of that refused commands left with customers whom no program knows yet. */
  readonly strangers: { readonly tier: Map<string, Instant>; readonly cashback: Map<string, Instant> };
  readonly history: HistoryEntry[];
  readonly book: Book;
  readonly deadLetters: DeadLetter[];
  readonly refusals: string[];
  readonly previews: { up: number; down: number; stay: number }[];
  /** What tiers say to cashback about an order: the multiplier of the level held before it, by the order's offset. */
  readonly multipliers: Map<number, number>;
  duplicates: number;
  /** Of the next event. */
  nextOffset: number;
  /** Of the last step. */
  clock: Instant;
}

export function newWorld(story: Pick<Story, "merchant" | "ladder" | "campaigns">): World {
  const merchant = merchantOf(story);
  const world: World = {
    merchant,
    ladders: [story.ladder],
    campaigns: new Map(),
    orders: [],
    parked: [],
    members: new Map(),
    strangers: { tier: new Map(), cashback: new Map() },
    history: [],
    book: { merchant, transfers: [], lots: [], awards: [], clawbacks: [], redemptions: [], notifications: [], lastAsOf: new Map() },
    deadLetters: [],
    refusals: [],
    previews: [],
    multipliers: new Map(),
    duplicates: 0,
    nextOffset: 0,
    clock: 0,
  };
  for (const campaign of story.campaigns) editCampaign(world, campaign);
  return world;
}

export function editCampaign(world: World, input: CampaignInput): void {
  const versions = world.campaigns.get(input.id) ?? [];
  world.campaigns.set(input.id, [...versions, { campaign: campaignOf(input), version: versions.length + 1 }]);
}

export function ladderOf(world: World): Ladder {
  return world.ladders.at(-1)!;
}

export function ordersOf(world: World, customerId: string): Order[] {
  return world.orders.filter((order) => order.customerId === customerId);
}

export function findOrder(world: World, orderId: string | null): Order | null {
  return world.orders.find((order) => order.orderId === orderId) ?? null;
}

export function groundOf(world: World, customerId: string): Ground {
  const { timeZone } = world.merchant;
  return { ladder: ladderOf(world), counted: countedOf(ordersOf(world, customerId), timeZone), zone: timeZone };
}

/** Null for a customer of whom tiers have heard nothing. */
export function tierAsOf(world: World, customerId: string): Instant | null {
  return world.members.get(customerId)?.lastAsOf ?? world.strangers.tier.get(customerId) ?? null;
}

export function cashbackAsOf({ book, strangers }: World, customerId: string): Instant | null {
  return book.lastAsOf.get(customerId) ?? strangers.cashback.get(customerId) ?? null;
}

/** A customer that tiers do not know yet. */
export function newMember(at: Instant): Member {
  return { level: null, validUntil: null, pin: null, lastAsOf: at };
}
