/**
 * UTC offsets of time zones, cached so that the hot path never asks Intl.
 *
 * Time is cut into buckets of 2^26 ms (18.6 h). Intl is asked at a bucket's edges once; where the two answers are equal the
 * bucket has that offset, else the moment of the change is searched. A zone that changed twice within a bucket and came
 * back to the same offset would be missed; the zone database has no such case since 1970.
 */

const bucketMs = 2 ** 26;
/** About 38 years of buckets; a cache that is full is emptied, which costs time and nothing else. */
const maxBucketsPerZone = 18_000;
const maxZones = 1_000;

/** A stretch of time with one offset: `from` inclusive, `to` exclusive, all in ms. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly offsetMs: number;
}

/** One bucket: usually a single segment, two where the clocks change. */
type Bucket = readonly [Segment, ...Segment[]];

interface Zone {
  readonly name: string;
  readonly format: Intl.DateTimeFormat;
  readonly buckets: Map<number, Bucket>;
  readonly edges: Map<number, number>;
  /** The bucket asked last: orders come in order of time, so most calls end here. */
  recent: Segment;
}

const zones = new Map<string, Zone>();
let recentZone: Zone | undefined;

/** The offset of a zone at an instant, in ms east of UTC. Throws a RangeError for an unknown zone. */
export function offsetAt(ms: number, timeZone: string): number {
  const zone = zoneOf(timeZone);
  const { recent } = zone;
  if (ms >= recent.from && ms < recent.to) return recent.offsetMs;
  const segment = segmentAt(zone, ms);
  zone.recent = segment;
  return segment.offsetMs;
}

/** The segments that cover `[from, to]`, in order of time, cut at bucket edges. */
export function segmentsBetween(from: number, to: number, timeZone: string): Segment[] {
  const zone = zoneOf(timeZone);
  const segments: Segment[] = [];
  for (let index = Math.floor(from / bucketMs); index * bucketMs <= to; index += 1) {
    segments.push(...bucketOf(zone, index));
  }
  return segments;
}

/** True for a name of the IANA database that this machine knows. Offsets such as `+01:00` are not names. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false;
  try {
    zoneOf(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function zoneOf(name: string): Zone {
  if (recentZone !== undefined && recentZone.name === name) return recentZone;
  let zone = zones.get(name);
  if (zone === undefined) {
    zone = openZone(name);
    if (zones.size >= maxZones) zones.clear();
    zones.set(name, zone);
  }
  recentZone = zone;
  return zone;
}

function openZone(name: string): Zone {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
    era: "short",
  });
  return { name, format, buckets: new Map(), edges: new Map(), recent: { from: 0, to: 0, offsetMs: 0 } };
}

function segmentAt(zone: Zone, ms: number): Segment {
  const bucket = bucketOf(zone, Math.floor(ms / bucketMs));
  for (const segment of bucket) if (ms < segment.to) return segment;
  return bucket[0];
}

function bucketOf(zone: Zone, index: number): Bucket {
  const known = zone.buckets.get(index);
  if (known !== undefined) return known;
  const bucket = measure(zone, index);
  if (zone.buckets.size >= maxBucketsPerZone) zone.buckets.clear();
  zone.buckets.set(index, bucket);
  return bucket;
}

function measure(zone: Zone, index: number): Bucket {
  const from = index * bucketMs;
  const to = from + bucketMs;
  const before = edgeOffset(zone, from);
  const after = edgeOffset(zone, to);
  if (before === after) return [{ from, to, offsetMs: before }];
  // Changes happen on whole seconds: halve down to the first second with the new offset.
  let low = Math.floor(from / 1000);
  let high = Math.ceil(to / 1000);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (askIntl(zone, middle * 1000) === before) low = middle;
    else high = middle;
  }
  const change = high * 1000;
  // A change in the second that holds the edge: the bucket's own part of it is all before.
  if (change >= to) return [{ from, to, offsetMs: before }];
  return [
    { from, to: change, offsetMs: before },
    { from: change, to, offsetMs: after },
  ];
}

function edgeOffset(zone: Zone, ms: number): number {
  let offset = zone.edges.get(ms);
  if (offset === undefined) {
    offset = askIntl(zone, ms);
    if (zone.edges.size >= maxBucketsPerZone) zone.edges.clear();
    zone.edges.set(ms, offset);
  }
  return offset;
}

function askIntl(zone: Zone, ms: number): number {
  const wholeSecond = Math.floor(ms / 1000) * 1000;
  const at = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
  let beforeChrist = false;
  for (const part of zone.format.formatToParts(wholeSecond)) {
    if (part.type === "era") beforeChrist = part.value.startsWith("B");
    else if (part.type in at) at[part.type as keyof typeof at] = Number(part.value);
  }
  const local = new Date(0);
  local.setUTCFullYear(beforeChrist ? 1 - at.year : at.year, at.month - 1, at.day);
  local.setUTCHours(at.hour, at.minute, at.second);
  return local.getTime() - wholeSecond;
}
