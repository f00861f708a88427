/* Words and numbers for people. Pure: the clock, the locale and the currency come in as parameters. */

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** How many decimals the currency has: 2 for USD, 0 for JPY, 3 for KWD. */
export function decimals(currency) {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** An integer in minor units as text. Built from digits, so that no amount passes through a binary fraction. */
export function money(minor, currency, locale) {
  const places = decimals(currency);
  const digits = String(Math.abs(minor)).padStart(places + 1, "0");
  const text = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
  return new Intl.NumberFormat(locale, { style: "currency", currency, currencyDisplay: "narrowSymbol" }).format(
    minor < 0 ? `-${text}` : text,
  );
}

/** Text such as "12.5" or "12,50" in minor units; undefined when it is no amount above zero with the currency's decimals. */
export function parseMoney(text, currency) {
  const places = decimals(currency);
  const match = /^(\d{1,9})(?:[.,](\d*))?$/.exec(text.trim());
  const fraction = match?.[2] ?? "";
  if (match === null || fraction.length > places) return undefined;
  const minor = Number(match[1] + fraction.padEnd(places, "0"));
  return minor > 0 ? minor : undefined;
}

/** Minor units as the text of an input field. */
export function plainMoney(minor, currency) {
  return (minor / 10 ** decimals(currency)).toFixed(decimals(currency));
}

/** "just now", "5 minutes ago", "in 3 days"; a date once a week or more lies between. */
export function relative(at, now, locale) {
  const ms = at - now;
  const size = Math.abs(ms);
  if (size < 45_000) return ms <= 0 ? "just now" : "in a moment";
  if (size >= 7 * day) return date(at, now, locale);
  const [unit, length] = size < 45 * minute ? ["minute", minute] : size < 22 * hour ? ["hour", hour] : ["day", day];
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(Math.round(ms / length), unit);
}

/** A day, with its year only where it is not this one. */
export function date(at, now, locale, timeZone) {
  const year = (ms) => new Intl.DateTimeFormat("en", { year: "numeric", timeZone }).format(ms);
  const options = { day: "numeric", month: "short", timeZone };
  return new Intl.DateTimeFormat(locale, year(at) === year(now) ? options : { ...options, year: "numeric" }).format(at);
}

/** The last day that a tier is valid: `validUntil` (YYYY-MM-DD) is the first one not covered. */
export function lastDay(validUntil, now, locale) {
  return date(Date.parse(`${validUntil}T00:00:00Z`) - day, now, locale, "UTC");
}

/** A value of the ladder's metric: money, or a number of orders. */
export function metricText(value, metric, currency, locale) {
  if (metric !== "order_count") return money(value, currency, locale);
  return `${new Intl.NumberFormat(locale).format(value)} ${value === 1 ? "order" : "orders"}`;
}

/** Colours of the tier card: by name where it says one, else by rank in the ladder (0 = lowest of `count`, -1 = not in it). */
export function tone(name, rank, count) {
  if (name === null) return "none";
  const tones = ["bronze", "silver", "gold", "platinum", "diamond"];
  const named = tones.find((word) => name.toLowerCase().includes(word));
  if (named !== undefined) return named;
  if (rank < 0 || count < 2) return "gold";
  const scale = count === 2 ? ["silver", "gold"] : tones.slice(0, count);
  return scale[Math.round((rank / (count - 1)) * (scale.length - 1))];
}

/** Whether cursor `a` (`<partition>:<offset>`) is at or before `b`. */
export function upTo(a, b) {
  return Number(a.slice(a.indexOf(":") + 1)) <= Number(b.slice(b.indexOf(":") + 1));
}
