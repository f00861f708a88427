import { type CustomerDifference, differingFields, type Fields, shownAt, shownDay } from "@perkstream/verify";
import type { Customer, RecordedChange } from "../customer.ts";
import { closeValidity } from "../domain/evaluate.ts";
import { boundFrom } from "../domain/measure.ts";
import type { Rules, TierState } from "../domain/index.ts";
import { MAX_BOUND, stateOf } from "../store/account-row.ts";
import type { DayRow, DueAccountRow, HistoryRow } from "./rows.ts";

/** The customer's row against what the replay came to. `nextOffset` is the program's, of the customer's partition. */
export function* compareAccount(customer: Customer, row: DueAccountRow, nextOffset: number): Generator<CustomerDifference> {
  const effect = { partition: row.part, offset: nextOffset };
  const rules = customer.rulesAt(effect);
  // An open validity is a lower bound: what counts is where it ends.
  const state = closed(rules, customer, customer.state);
  const stored = closed(rules, customer, stateOf(row));
  const tier = differingFields(levelFields(state), levelFields(stored));
  if (tier !== null) yield { thing: "tier", problem: "changed", ...tier };
  const account = differingFields(
    { known: customer.known, ...totals(state), levelOffset: customer.levelOffset, changes: customer.seq },
    { known: row.known, ...totals(stored), levelOffset: Number(row.level_off), changes: row.seq },
  );
  if (account !== null) yield { thing: "account", problem: "changed", ...account };
  if (tier !== null || account !== null || !customer.known) return;
  yield* hidden({ ...state, bound: stored.bound }, rules, customer, row, effect);
}

/** What makes something be done too late, or not at all. */
function* hidden(
  state: TierState,
  rules: Rules,
  customer: Customer,
  row: DueAccountRow,
  effect: { readonly partition: number; readonly offset: number },
): Generator<CustomerDifference> {
  customer.state = state;
  const dueAt = customer.dueAt(effect);
  if (dueAt !== null && (row.due_at === null || row.due_at.getTime() > dueAt)) {
    const note = "the sweep does not see what time changes";
    yield {
      thing: "due moment",
      problem: "hidden",
      expected: { dueAt: shownAt(dueAt) },
      found: { dueAt: shownAt(row.due_at?.getTime() ?? null) },
      note,
    };
  }
  if (state.pin !== null || state.lastAsOf === null) return;
  const needed = boundFrom(rules, state, customer.days, rules.calendar.localDay(state.lastAsOf));
  if (state.bound < (needed > MAX_BOUND ? MAX_BOUND : needed)) {
    yield {
      thing: "due moment",
      problem: "hidden",
      expected: { bound: needed },
      found: { bound: state.bound },
      note: "an order that raises would be overlooked",
    };
  }
}

function closed(rules: Rules, customer: Customer, state: TierState): TierState {
  // A level that the ladder does not have has no end to be found.
  return closeValidity(rules, state, customer.days);
}

function levelFields(state: TierState): Fields {
  return {
    level: state.levelId,
    since: shownAt(state.sinceAt),
    validUntil: shownDay(state.validUntilDay),
    pin: state.pin?.levelId ?? null,
    pinUntil: shownAt(state.pin?.untilAt ?? null),
    pinActor: state.pin?.actor ?? null,
    pinNote: state.pin?.note ?? null,
  };
}

function totals(state: TierState): Fields {
  return {
    lastAsOf: shownAt(state.lastAsOf),
    ladderVersion: state.ladderVersion,
    firstDay: shownDay(state.firstDay),
    net: state.totalNetMinor,
    orders: state.totalOrders,
  };
}

/** The customer's changes against the history, by their numbers. */
export function* compareHistory(changes: readonly RecordedChange[], rows: readonly HistoryRow[]): Generator<CustomerDifference> {
  const bySeq = new Map(rows.map((row) => [row.seq, row]));
  let before = 0n;
  for (const change of changes) {
    const expected = changeFields(change);
    const row = bySeq.get(change.seq);
    bySeq.delete(change.seq);
    const where = { change: change.seq };
    if (row === undefined) {
      yield { thing: "history", problem: "missing", where, expected, found: null };
      continue;
    }
    const differing = differingFields(expected, historyFields(row));
    if (differing !== null) yield { thing: "history", problem: "changed", where, ...differing };
    if (row.n <= before)
      yield {
        thing: "number",
        problem: "changed",
        where,
        expected: { n: before + 1n },
        found: { n: row.n },
        note: "changes are numbered in their order",
      };
    before = row.n;
  }
  for (const row of bySeq.values())
    yield { thing: "history", problem: "unexpected", where: { change: row.seq }, expected: null, found: historyFields(row) };
}

function changeFields({ change, partition, offset }: RecordedChange): Fields {
  return {
    from: change.from?.id ?? null,
    to: change.to?.id ?? null,
    reason: change.reason,
    actor: change.actor,
    asOf: shownAt(change.asOf),
    partition,
    offset,
    ladder: change.ruleVersion,
    order: change.orderId,
    metric: change.metric,
    lastPeriodMetric: change.lastPeriodMetric,
  };
}

function historyFields(row: HistoryRow): Fields {
  return {
    from: row.from_level,
    to: row.to_level,
    reason: row.reason,
    actor: row.actor,
    asOf: shownAt(row.as_of.getTime()),
    partition: row.part,
    offset: Number(row.off),
    ladder: row.rule_version,
    order: row.order_id,
    metric: row.metric,
    lastPeriodMetric: row.last_period_metric,
  };
}

/** What each local date comes to, against the stored sums. */
export function* compareDays({ deltas }: Customer, rows: readonly DayRow[]): Generator<CustomerDifference> {
  const left = new Map(deltas);
  for (const { day, net, orders } of rows) {
    const expected = left.get(day);
    left.delete(day);
    const where = { date: shownDay(day) ?? "" };
    if (expected === undefined) yield { thing: "day", problem: "unexpected", where, expected: null, found: { net, orders } };
    else {
      const differing = differingFields({ net: expected.netMinor, orders: expected.orders }, { net, orders });
      if (differing !== null) yield { thing: "day", problem: "changed", where, ...differing };
    }
  }
  for (const [day, { netMinor, orders }] of left) {
    yield { thing: "day", problem: "missing", where: { date: shownDay(day) ?? "" }, expected: { net: netMinor, orders }, found: null };
  }
}
