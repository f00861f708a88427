import { date, lastDay, metricText, money, relative, tone } from "./format.js";

/* Tier card and balance card, from the customer object of the merchant API and the ladder. */

const $ = (id) => document.getElementById(id);

/** `shop` is {currency, metric, levels}; `me` is null before the first order. */
export function showSummary(me, shop, now) {
  showTier(me, shop, now);
  showBalance(me?.cashback, shop.currency, now);
}

function showTier(me, shop, now) {
  const tier = me?.tier ?? null;
  const rank = shop.levels.findIndex((level) => level.id === tier?.id);
  $("tier").dataset.tone = tone(tier?.name ?? null, rank, shop.levels.length);
  setText("tier-name", tier?.name ?? "No tier yet");
  setText("tier-valid", validity(tier, now));

  const first = me === null ? firstLevel(shop) : null;
  const next = me === null ? first : me.nextTier;
  const metric = me?.metric ?? 0;
  const text = (value) => metricText(value, shop.metric, shop.currency);
  const percent = me === null ? 0 : progress(metric, next);
  $("progress-fill").style.setProperty("--done", `${percent}%`);
  $("progress").setAttribute("aria-valuenow", String(percent));
  setText("tier-next", first?.missing === 0 ? `${first.name} with your first order` : nextText(next, tier, text));
  const goal = next === null ? 0 : metric + next.missing;
  setText("tier-metric", goal > 0 ? `${text(metric)} of ${text(goal)}` : me === null ? "" : text(metric));
}

const firstLevel = ({ levels }) => (levels.length === 0 ? null : { id: levels[0].id, name: levels[0].name, missing: levels[0].threshold });

function validity(tier, now) {
  if (tier === null) return "";
  if (tier.pinned) return "Held for you by the shop";
  if (tier.validUntil !== null) return `Valid through ${lastDay(tier.validUntil, now)}`;
  return `Since ${date(Date.parse(tier.since), now)}`;
}

function progress(metric, next) {
  if (next === null) return 100;
  const whole = metric + next.missing;
  return whole <= 0 ? 100 : Math.min(100, Math.floor((metric * 100) / whole));
}

function nextText(next, tier, text) {
  if (next !== null) return next.missing === 0 ? `${next.name} is within reach` : `${text(next.missing)} to ${next.name}`;
  return tier === null ? "This shop has no tiers yet" : "You are at the top";
}

function showBalance(cashback, currency, now) {
  const text = (minor) => money(minor ?? 0, currency);
  const changed = setText("available", text(cashback?.availableMinor));
  if (changed) pulse($("available"));
  setText("pending", text(cashback?.pendingMinor));
  setText("reserved", text(cashback?.reservedMinor));
  setText("debt", text(cashback?.debtMinor));
  $("reserved-row").hidden = !cashback?.reservedMinor;
  $("debt-row").hidden = !cashback?.debtMinor;
  const expiry = cashback?.nextExpiry ?? null;
  const at = expiry === null ? 0 : Date.parse(expiry.at);
  setText("expiry", expiry === null ? "None" : `${text(expiry.amountMinor)} ${expiryWhen(at, now)}`);
}

/** A year and more ahead or a past date (replayed history) reads better as a date; what is near as "in 3 days". */
function expiryWhen(at, now) {
  const words = relative(at, now);
  return words.startsWith("in ") ? words : `on ${date(at, now)}`;
}

/** Whether the text was another one before (not when it was the first). */
function setText(id, text) {
  const element = $(id);
  const before = element.textContent;
  if (before === text) return false;
  element.textContent = text;
  return before !== "–" && before !== "";
}

function pulse(element) {
  element.classList.remove("pulse");
  // Reading a layout value lets the animation start again when two changes follow closely.
  void element.offsetWidth;
  element.classList.add("pulse");
}
