import { date, metricText, money } from "./format.js";

/*
 * What a notification says to a customer: {icon, tone, title, detail}. `context` is {now, metric, locale}.
 */

const writers = {
  CashbackEarned(data, context) {
    const when =
      Date.parse(data.availableAt) <= Date.parse(data.occurredAt)
        ? "ready to spend"
        : `ready on ${date(Date.parse(data.availableAt), context.now, context.locale)}`;
    return {
      icon: "earned",
      tone: "good",
      title: `You earned ${amount(data, context)}`,
      detail: join([data.campaigns.join(", "), when]),
    };
  },
  CashbackAvailable: (data, context) => ({
    icon: "ready",
    tone: "good",
    title: `${amount(data, context)} is ready to spend`,
    detail: balance(data, context),
  }),
  CashbackExpiring: (data, context) => ({
    icon: "clock",
    tone: "warn",
    title: `${amount(data, context)} expires soon`,
    detail: `Spend it before ${date(Date.parse(data.expiresAt), context.now, context.locale)}`,
  }),
  CashbackExpired: (data, context) => ({
    icon: "gone",
    tone: "plain",
    title: `${amount(data, context)} has expired`,
    detail: balance(data, context),
  }),
  CashbackRedeemed: (data, context) => ({
    icon: "spent",
    tone: "plain",
    title: `You paid ${amount(data, context)} with cashback`,
    detail: join([data.orderId === null ? "" : `Order ${data.orderId}`, balance(data, context)]),
  }),
  CashbackReversed: (data, context) => ({
    icon: "back",
    tone: "plain",
    title: `${amount(data, context)} cashback taken back`,
    detail: join([data.orderId === null ? "" : `Refund of order ${data.orderId}`, balance(data, context)]),
  }),
  TierChanged(data, context) {
    const up = data.direction === "PROMOTED";
    return {
      icon: up ? "up" : "down",
      tone: up ? "gold" : "plain",
      title: tierTitle(data, up),
      detail: toNext(data, context) || (data.fromTier === null ? "" : `Before: ${data.fromTier}`),
    };
  },
};

/** A type that this page does not know yet still shows, by its name and its own fields: "Badge Won", "Early bird · level 3". */
export function describe(note, context) {
  const writer = writers[note.type];
  if (writer !== undefined) return writer(note.data, context);
  const detail = join(Object.entries(note.data).map(([name, value]) => fieldText(name, value, note.data, context)));
  return { icon: "bell", tone: "plain", title: words(note.type), detail };
}

const words = (name) => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ");
const common = ["id", "merchantId", "customerId", "occurredAt", "orderId", "currency"];

/** What a field of an unknown type says; nothing for ids, times and what is common to all. */
function fieldText(name, value, data, context) {
  if (common.includes(name) || /(Id|At)$/.test(name)) return "";
  if (typeof value === "string") return value;
  if (typeof value !== "number") return "";
  if (name.endsWith("Minor") && typeof data.currency === "string") return money(value, data.currency, context.locale);
  return `${words(name).toLowerCase()} ${value}`;
}

function tierTitle(data, up) {
  if (data.toTier === null) return `You left ${data.fromTier}`;
  if (up) return data.fromTier === null ? `Welcome to ${data.toTier}` : `You are ${data.toTier} now`;
  return `Your tier is ${data.toTier} now`;
}

/** "£40.00 to Platinum", or nothing at the top. TierChanged has no currency: it is the merchant's. */
export function toNext(data, context) {
  if (data.nextTier === null || data.toNextTierMinor === null) return "";
  return `${metricText(data.toNextTierMinor, context.metric, context.currency, context.locale)} to ${data.nextTier}`;
}

const amount = (data, context) => money(data.amountMinor, data.currency, context.locale);
const balance = (data, context) => `Balance ${money(data.balanceMinor, data.currency, context.locale)}`;
const join = (parts) => parts.filter((part) => part !== "").join(" · ");
