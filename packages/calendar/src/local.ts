import { dayMs } from "./dates.ts";
import { offsetAt, segmentsBetween } from "./offsets.ts";

/** No zone was ever further from UTC than 16 hours. */
const maxOffsetMs = 16 * 3_600_000;
/** Start-of-day answers kept over all zones. */
const maxStarts = 20_000;
const starts = new Map<string, Map<number, number>>();
let startsKept = 0;

/** The local date of an instant in a zone. Throws a RangeError for an unknown zone. */
export function localDay(ms: number, timeZone: string): number {
  return Math.floor((ms + offsetAt(ms, timeZone)) / dayMs);
}

/**
 * The first instant (ms) of a local date. Where midnight is skipped that is the moment the clocks jump; where a date is
 * skipped altogether it is the first instant of the next one; where midnight comes twice it is the first.
 */
export function startOfDay(day: number, timeZone: string): number {
  let ofZone = starts.get(timeZone);
  const known = ofZone?.get(day);
  if (known !== undefined) return known;
  const start = instantOf(day, 0, timeZone);
  if (startsKept >= maxStarts) {
    starts.clear();
    startsKept = 0;
    ofZone = undefined;
  }
  if (ofZone === undefined) {
    ofZone = new Map();
    starts.set(timeZone, ofZone);
  }
  ofZone.set(day, start);
  startsKept += 1;
  return start;
}

/**
 * The instant (ms) at which a zone's clocks first show a local date and time of day. A time that the clocks skip gives the
 * moment they jump; of a time that comes twice, the first.
 */
export function instantOf(day: number, msOfDay: number, timeZone: string): number {
  const localMs = day * dayMs + msOfDay;
  for (const segment of segmentsBetween(localMs - maxOffsetMs, localMs + maxOffsetMs, timeZone)) {
    const candidate = Math.max(segment.from, localMs - segment.offsetMs);
    if (candidate < segment.to) return candidate;
  }
  throw new RangeError(`no instant for local time ${localMs} in ${timeZone}`);
}
