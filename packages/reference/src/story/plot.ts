import { startOfDay, localDay, dayFrom, monthOf, yearOf, timeText, type Instant } from "../model/time.ts";
import type { Model } from "../model/model.ts";
import { ladderOf } from "../model/world.ts";
import type { Profile } from "./profile.ts";
import type { Random } from "./random.ts";
import type { Campaign, EventInput } from "./types.ts";

/** What the writer of a story knows while it writes: the model lives through the story as it is written. */
export interface Plot {
  readonly random: Random;
  readonly model: Model;
  readonly customers: readonly string[];
  readonly orderIds: readonly string[];
  readonly campaignIds: readonly string[];
  /** Events sent so far, with all that defaults would say, so that they can be sent again. */
  readonly sent: EventInput[];
  /** No order id is shared by two customers: for players with several partitions. */
  readonly apart: boolean;
  readonly profile: Profile;
  /** How far the clock moves between steps, as a story's own habit: units in milliseconds. */
  readonly pace: readonly number[];
  now: Instant;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** The clock of the next step. Mostly onwards; often to a moment at which something is due, or one millisecond beside it. */
export function nextMoment(plot: Plot): Instant {
  const { random } = plot;
  if (random.chance(0.12)) return plot.now - random.pick([1, minuteMs, hourMs, 3 * dayMs, 40 * dayMs]);
  plot.now = Math.max(plot.now, random.chance(0.3) ? edge(plot) : plot.now + random.pick(plot.pace) * random.whole(1, 3));
  return plot.now;
}

const paces = [
  [0, 0, 1, 1000, minuteMs, hourMs],
  [0, 1000, minuteMs, hourMs, hourMs, dayMs],
  [0, minuteMs, hourMs, dayMs, dayMs, 7 * dayMs, 30 * dayMs],
  [hourMs, dayMs, 7 * dayMs, 30 * dayMs, 120 * dayMs],
];

export function randomPace({ pick }: Random): readonly number[] {
  return pick(paces);
}

function edge(plot: Plot): Instant {
  const { random } = plot;
  const beside = random.pick([-1, 0, 0, 0, 1]);
  const coming = edges(plot).filter((at) => at > plot.now && at < plot.now + 800 * dayMs);
  return coming.length === 0 ? plot.now + beside : random.pick(coming) + beside;
}

/** Ends of validities, pins, holds, lots, reservations and campaigns; starts of days, months and years. */
function edges({ model: { world }, now }: Plot): Instant[] {
  const zone = world.merchant.timeZone;
  const today = localDay(now, zone);
  const graces = [0, ladderOf(world).settings.graceDays];
  const members = [...world.members.values()];
  return [
    ...members.flatMap(({ validUntil }) => (validUntil === null ? [] : graces.map((grace) => startOfDay(validUntil + grace, zone)))),
    ...members.flatMap(({ pin }) => (pin?.until == null ? [] : [pin.until])),
    ...world.book.lots.flatMap(({ availableAt, expiresAt }) =>
      expiresAt === null ? [availableAt] : [availableAt, expiresAt, expiresAt - world.merchant.expiringNoticeDays * dayMs],
    ),
    ...world.book.redemptions.flatMap(({ expiresAt }) => (expiresAt === null ? [] : [expiresAt])),
    ...[...world.campaigns.values()].flatMap((versions) => periodOf(versions.at(-1)!.campaign)),
    startOfDay(today + 1, zone),
    startOfDay(dayFrom(yearOf(today), monthOf(today) + 1, 1), zone),
    startOfDay(dayFrom(yearOf(today) + 1, 1, 1), zone),
  ];
}

function periodOf({ startsAt, endsAt }: Campaign): Instant[] {
  return [Date.parse(startsAt), ...(endsAt === null ? [] : [Date.parse(endsAt)])];
}

/** When the customer bought, for a record of `at`: mostly then, sometimes long before, sometimes a little ahead. */
export function occurrence(plot: Plot, at: Instant): Instant {
  const { chance, pick, whole } = plot.random;
  if (chance(0.6)) return at;
  if (chance(0.1)) return Math.min(at, pick(pastEdges(plot, at)) + pick([-1, 0, 1]));
  if (chance(0.1)) return at + pick([1, 4 * minuteMs, 5 * minuteMs, 5 * minuteMs + 1]);
  return at - pick([1, minuteMs, hourMs, dayMs, 30 * dayMs, 365 * dayMs]) * whole(1, 3);
}

/** Starts of days, months and years long past, bounds of campaigns, and the first instant that there is. */
function pastEdges({ model: { world } }: Plot, at: Instant): Instant[] {
  const zone = world.merchant.timeZone;
  const today = localDay(at, zone);
  const days = [
    today,
    today - 1,
    dayFrom(yearOf(today), monthOf(today), 1),
    dayFrom(yearOf(today), 1, 1),
    dayFrom(yearOf(today) - 1, 2, 29),
  ];
  const campaigns = [...world.campaigns.values()].flatMap((versions) => periodOf(versions.at(-1)!.campaign));
  return [1, ...campaigns, ...days.map((day) => startOfDay(day, zone))];
}

/** Where a story begins: near leap days, ends of months and years, and changes of the clocks. */
export function randomStart({ pick, whole }: Random): Instant {
  const days = [
    "2023-12-29",
    "2024-02-27",
    "2024-02-29",
    "2024-02-29",
    "2024-03-09",
    "2024-03-30",
    "2024-04-05",
    "2024-10-04",
    "2024-10-26",
    "2024-11-02",
    "2024-12-30",
    "2025-01-30",
    "2025-02-27",
    "2011-12-28",
    "2018-11-02",
    "2027-02-26",
  ];
  return Date.parse(`${pick(days)}T00:00:00Z`) + whole(0, 4 * 24) * hourMs + pick([0, 0, 1, 1_799_999]);
}

export function textOf(at: Instant): string {
  return timeText(at);
}
