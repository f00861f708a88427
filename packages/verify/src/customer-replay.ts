import type { Booked, OrderDecoder, OrderEntry } from "@perkstream/orders";
import type { Notice, Outcome } from "@perkstream/program";
import { compareOrder, compareRefund, refundFields } from "./compare-events.ts";
import { type CustomerKey, type TellCustomer, tellOf } from "./customer-report.ts";
import type { ProgramName, Report } from "./difference.ts";
import { columnsOf, decodeEvent, entryOf } from "./entry.ts";
import type { ReplayPlace } from "./place.ts";
import type { ReplayedRefund, ReplayLedger } from "./replay-ledger.ts";
import { type CustomerHistory, replaySteps, type ReplayStep } from "./sequence.ts";
import type { AppliedRow, OrderRow, RefundRow, StoredStreams } from "./stored.ts";

/** A program's domain, driven without a database. */
export interface ReplayMachine<X, R, O extends OrderRow, S extends RefundRow> {
  readonly ledger: ReplayLedger<X, R>;
  /**
   * The next step is at this place: rules that are known there hold. `row` is what is stored of an order that comes, `redrive` the step
   * by which an event comes out of its turn.
   */
  enter(place: ReplayPlace, row: O | null, redrive: AppliedRow | null): void;
  /** Decides an event as the program does. */
  decide(entry: OrderEntry): Outcome;
  /** Does a sweep, command or edit again; the notices of it. */
  applied(row: AppliedRow): readonly Notice[];
  /** Compares the program's own columns, when nothing more will change them. */
  compareOrder(booked: Booked<X>, row: O): void;
  compareRefund(replayed: ReplayedRefund<X, R>, row: S): void;
  /** After a step: what it left may be compared. */
  settle(): Promise<void>;
}

export interface CustomerReplay<X, R, O extends OrderRow, S extends RefundRow> {
  readonly program: ProgramName;
  readonly customer: CustomerKey;
  readonly acct: number;
  readonly streams: StoredStreams<O, S>;
  readonly history: CustomerHistory<S>;
  readonly decoder: OrderDecoder;
  readonly machine: ReplayMachine<X, R, O, S>;
  readonly report: Report;
  readonly notices: NoticeSink;
}

/** Takes the notifications of a replay, in its order. */
export interface NoticeSink {
  expect(notice: Notice, place: ReplayPlace): void;
  /** After each step. */
  settle(): Promise<void>;
}

type EventStep<O, S> = Exclude<ReplayStep<O, S>, { kind: "applied" }>;

/** Plays a customer's stored events and commands through the program's domain, and compares the orders and refunds with what comes out. */
export async function replayCustomer<X, R, O extends OrderRow, S extends RefundRow>(replay: CustomerReplay<X, R, O, S>): Promise<void> {
  const { program, customer, machine, history, streams, acct, report, notices } = replay;
  const { ledger } = machine;
  const tell = tellOf(report, program, customer);
  const waiting = new Map(history.refunds.map((row) => [refundKey(row.order_id, row.refund_id), row]));
  const refunded: { readonly booked: Booked<X>; readonly row: O }[] = [];
  let orders = 0;
  for await (const step of replaySteps(streams, acct, history)) {
    machine.enter(step.place, step.kind === "order" ? step.row : null, step.kind === "applied" ? null : step.redrive);
    if (step.kind === "applied") for (const notice of machine.applied(step.row)) notices.expect(notice, step.place);
    else {
      const counted = await playEvent(replay, step, tell);
      if (step.kind === "order") {
        orders++;
        if (counted !== null && ledger.kept.has(step.row.order_id)) refunded.push({ booked: counted, row: step.row });
        else if (counted !== null) compare(machine, counted, step.row, tell);
      }
      for (const done of ledger.refunds.splice(0)) settleRefund(machine, done, waiting, tell);
    }
    await machine.settle();
    await notices.settle();
  }
  for (const { booked, row } of refunded) compare(machine, booked, row, tell);
  for (const row of waiting.values()) {
    const where = { order: row.order_id, refund: row.refund_id };
    tell({ thing: "refund", problem: "unexpected", where, expected: null, found: refundFields(row), note: "nothing of it can be applied" });
  }
  report.checked(`${program} orders`, orders);
  report.checked(`${program} refunds`, history.refunds.length);
  report.checked(`${program} commands and sweeps`, history.applied.length);
}

/** Plays one event; the order that it counted, null for a refund and for what cannot have been counted. */
async function playEvent<X, R, O extends OrderRow, S extends RefundRow>(
  { decoder, customer, machine, notices }: CustomerReplay<X, R, O, S>,
  step: EventStep<O, S>,
  tell: TellCustomer,
): Promise<Booked<X> | null> {
  const { kind: thing, row, place } = step;
  const where = { order: row.order_id, ...(step.kind === "refund" ? { refund: step.row.refund_id } : {}), offset: Number(row.off) };
  const event = await decodeEvent(decoder, row.payload);
  if (typeof event === "string") {
    tell({ thing, problem: "changed", where, expected: { payload: "an order event" }, found: { payload: "bytes" }, note: event });
    return null;
  }
  const columns = columnsOf(event, step, customer);
  if (columns !== null) {
    tell({ thing, problem: "changed", where, ...columns, note: "the columns of the row are not those of its event" });
    const { type, merchant, customer: owner } = columns.expected;
    if (type !== columns.found["type"] || merchant !== columns.found["merchant"] || owner !== columns.found["customer"]) return null;
  }
  machine.ledger.counted = null;
  const { result, notices: sent } = machine.decide(entryOf(event, step));
  for (const notice of sent) notices.expect(notice, place);
  if (typeof result === "string" && (result !== "duplicate" || thing === "refund")) return machine.ledger.counted;
  if (thing === "order") {
    const why = typeof result === "string" ? result : `${result.rejected.reason}, ${result.rejected.message}`;
    tell({ thing, problem: "unexpected", where, expected: null, found: { counted: true }, note: `it is not counted: ${why}` });
  }
  return null;
}

function compare<X, R, O extends OrderRow, S extends RefundRow>(
  machine: ReplayMachine<X, R, O, S>,
  booked: Booked<X>,
  row: O,
  tell: TellCustomer,
): void {
  compareOrder(booked, row, tell);
  machine.compareOrder(booked, row);
}

function settleRefund<X, R, O extends OrderRow, S extends RefundRow>(
  machine: ReplayMachine<X, R, O, S>,
  done: ReplayedRefund<X, R>,
  waiting: Map<string, S>,
  tell: TellCustomer,
): void {
  const key = refundKey(done.booked.order.orderId, done.refund.refundId ?? "");
  const row = waiting.get(key);
  if (row === undefined) return;
  waiting.delete(key);
  compareRefund(done, row, tell);
  machine.compareRefund(done, row);
}

function refundKey(orderId: string, refundId: string): string {
  return `${orderId}\n${refundId}`;
}
