/** Instants are milliseconds since 1970 UTC, days are whole days since 1970-01-01. */
export type Instant = number;
export type Day = number;

export const dayMs = 86_400_000;
const quarterMs = 15 * 60_000;
const hourMs = 3_600_000;

// The same questions come again and again; the answers never change.
const remembered = 20_000;
const timeTexts = new Map<Instant, string>();
const dayTexts = new Map<Day, string>();
const formats = new Map<string, Intl.DateTimeFormat>();
const localDays = new Map<string, Map<Instant, Day>>();
const starts = new Map<string, Map<Day, Instant>>();

export function instantOf(text: string): Instant {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new Error(`Not a time: ${text}`);
  return at;
}

/** Without milliseconds when there are none. */
export function timeText(at: Instant): string {
  return memo(timeTexts, at, () => new Date(at).toISOString().replace(".000Z", "Z"));
}

export function dayText(day: Day): string {
  return memo(dayTexts, day, () => new Date(day * dayMs).toISOString().slice(0, 10));
}

export function dayFrom(year: number, month: number, dayOfMonth: number): Day {
  return Date.UTC(year, month - 1, dayOfMonth) / dayMs;
}

export function yearOf(day: Day): number {
  return new Date(day * dayMs).getUTCFullYear();
}

export function monthOf(day: Day): number {
  return new Date(day * dayMs).getUTCMonth() + 1;
}

/** The same day of another year; 29 February falls on the 28th where there is none. */
export function inYear(day: Day, year: number): Day {
  const date = new Date(day * dayMs);
  const same = dayFrom(year, date.getUTCMonth() + 1, date.getUTCDate());
  return monthOf(same) === date.getUTCMonth() + 1 ? same : same - 1;
}

/** The date on the wall of the time zone. */
export function localDay(at: Instant, zone: string): Day {
  const ofZone = memo(localDays, zone, () => new Map<Instant, Day>());
  return memo(ofZone, at, () => {
    const format = memo(
      formats,
      zone,
      () => new Intl.DateTimeFormat("en-US", { timeZone: zone, year: "numeric", month: "numeric", day: "numeric" }),
    );
    const [month, day, year] = format.format(at).split("/").map(Number);
    return dayFrom(year!, month!, day!);
  });
}

/** The first instant whose local date is this one (or, where the zone skips the date, a later one): searched, not computed. */
export function startOfDay(day: Day, zone: string): Instant {
  const ofZone = memo(starts, zone, () => new Map<Day, Instant>());
  return memo(ofZone, day, () => {
    let at = day * dayMs - 15 * hourMs;
    while (localDay(at, zone) < day) at += hourMs;
    while (localDay(at - quarterMs, zone) >= day) at -= quarterMs;
    return at;
  });
}

function memo<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  if (map.size > remembered) map.clear();
  const value = make();
  map.set(key, value);
  return value;
}
