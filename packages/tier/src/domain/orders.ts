import type { Day } from "./calendar.ts";
import { NO_CHANGES, SYSTEM, type Step } from "./change.ts";
import type { DayBook } from "./day-book.ts";
import { closeValidity, evaluatedAfresh, extended, heldLevel, settled } from "./evaluate.ts";
import { levelAt, rankOf, type Rules } from "./ladder.ts";
import { boundFrom, qualifiedRank } from "./measure.ts";
import { movesAnniversary, staysLowest } from "./need.ts";
import type { TierState } from "./state.ts";

/** An order to count. What is due by `asOf` must have been applied. */
export interface CountedOrder {
  readonly orderId: string;
  /** Local date of its occurredAt. */
  readonly day: Day;
  readonly netMinor: bigint;
  readonly asOf: number;
}

/** What a refund or cancellation takes off an order. `emptied`: nothing remains of an order that had something. */
export interface RefundedOrder {
  readonly orderId: string;
  /** Local date of the order, not of the refund. */
  readonly day: Day;
  readonly amountMinor: bigint;
  readonly emptied: boolean;
  readonly asOf: number;
}

/** Counts an order; adds it to `days`. An order only raises and never shortens a validity. */
export function applyOrder(rules: Rules, state: TierState, days: DayBook | null, order: CountedOrder): Step {
  const today = rules.calendar.localDay(order.asOf);
  const moved = movesAnniversary(rules, state, order.day);
  // The end of the validity is found late only while everything since lies before it and counts in the same periods.
  const late = moved || (state.validUntilDay !== null && today >= state.validUntilDay);
  const before = late ? closeValidity(rules, state, days) : state;
  const orders = order.netMinor > 0n ? 1 : 0;
  days?.add(order.day, order.netMinor, orders);
  const counted = withOrder(rules, before, order, orders);
  if (counted.pin !== null) return { state: counted, changes: NO_CHANGES };
  const raised = raisedOn(rules, moved ? { ...counted, bound: boundFrom(rules, counted, days, today) } : counted, days, today);
  if (raised.levelId !== before.levelId) {
    return settled(rules, before, raised, days, { reason: "order", actor: SYSTEM, asOf: order.asOf, orderId: order.orderId, dueAt: null });
  }
  return { state: late ? reconsidered(rules, raised, days, today) : opened(raised), changes: NO_CHANGES };
}

function withOrder(rules: Rules, state: TierState, order: CountedOrder, orders: number): TierState {
  return {
    ...state,
    lastAsOf: order.asOf,
    firstDay: state.firstDay === null || order.day < state.firstDay ? order.day : state.firstDay,
    totalNetMinor: state.totalNetMinor + order.netMinor,
    totalOrders: state.totalOrders + orders,
    bound: state.bound + (rules.ladder.settings.metric === "net_spend" ? order.netMinor : BigInt(orders)),
  };
}

/** The level that is reached, where it is higher; looks at the days only if the bound allows for more. */
function raisedOn(rules: Rules, state: TierState, days: DayBook | null, today: Day): TierState {
  const rank = rankOf(rules.ladder, state.levelId);
  const above = levelAt(rules.ladder, rank + 1);
  if (above === null || state.bound < above.threshold) return state;
  if (qualifiedRank(rules, state, days, today) > rank) return evaluatedAfresh(rules, state, days, today);
  return { ...state, bound: boundFrom(rules, state, days, today) };
}

function reconsidered(rules: Rules, state: TierState, days: DayBook | null, today: Day): TierState {
  const level = heldLevel(rules, state);
  return level === null ? state : extended(rules, state, days, level, today);
}

function opened(state: TierState): TierState {
  return state.validUntilDay === null || state.validityOpen ? state : { ...state, validityOpen: true };
}

/** Takes a refund off the date of its order; with `immediate` the customer is evaluated afresh. */
export function applyRefund(rules: Rules, state: TierState, days: DayBook | null, refund: RefundedOrder): Step {
  const immediate = rules.ladder.settings.refundPolicy === "immediate";
  // With at_period_end the validity that the customer had stays: find it before the amount leaves the books.
  const before = immediate ? state : closeValidity(rules, state, days);
  days?.add(refund.day, -refund.amountMinor, refund.emptied ? -1 : 0);
  const after: TierState = {
    ...before,
    lastAsOf: refund.asOf,
    totalNetMinor: before.totalNetMinor - refund.amountMinor,
    totalOrders: before.totalOrders - (refund.emptied ? 1 : 0),
  };
  if (!immediate || after.pin !== null || staysLowest(rules, after)) return { state: after, changes: NO_CHANGES };
  const afresh = evaluatedAfresh(rules, after, days, rules.calendar.localDay(refund.asOf));
  return settled(rules, state, afresh, days, { reason: "refund", actor: SYSTEM, asOf: refund.asOf, orderId: refund.orderId, dueAt: null });
}
