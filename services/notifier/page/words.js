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

/** A type that this page does not know yet still shows, by its name. */
export function describe(note, context) {
  const writer = writers[note.type];
  if (writer !== undefined) return writer(note.data, context);
  return { icon: "bell", tone: "plain", title: note.type.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " "), detail: "" };
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
