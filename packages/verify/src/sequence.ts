import { isBefore, type ReplayPlace } from "./place.ts";
import type { AppliedRow, OrderRow, RefundRow, StoredStreams } from "./stored.ts";

/** One step of a customer's replay. `redrive` names the row at which a record comes that was read once more. */
export type ReplayStep<O, R> =
  | { readonly kind: "applied"; readonly place: ReplayPlace; readonly row: AppliedRow }
  | { readonly kind: "order"; readonly place: ReplayPlace; readonly row: O; readonly redrive: AppliedRow | null }
  | { readonly kind: "refund"; readonly place: ReplayPlace; readonly row: R; readonly redrive: AppliedRow | null };

/** What a customer's replay is made of, but for the orders, which may be many. */
export interface CustomerHistory<R> {
  readonly refunds: readonly R[];
  readonly applied: readonly AppliedRow[];
}

interface RedriveDetail {
  readonly partition: number;
  readonly offset: number;
}

/** Rows `redrive` that name no customer, since the record was parked once more: by its `partition:offset`. */
export type KnownRedrives = ReadonlyMap<string, readonly AppliedRow[]>;

export function knownRedrives(rows: readonly AppliedRow[]): KnownRedrives {
  return Map.groupBy(rows, recordOf);
}

/** Takes from the streams what is stored of a customer, but for the orders. */
export async function takeHistory<O extends OrderRow, R extends RefundRow>(
  streams: StoredStreams<O, R>,
  acct: number,
  redrives: KnownRedrives,
): Promise<CustomerHistory<R>> {
  const belongs = (row: { readonly acct: bigint }) => Number(row.acct) === acct;
  const refunds = await streams.refunds.takeWhile(belongs);
  const applied = await streams.applied.takeWhile(belongs);
  const parked = redrives.size === 0 ? [] : refunds.flatMap(({ part, off }) => redrives.get(`${part}:${off}`) ?? []);
  if (parked.length > 0) {
    applied.push(...parked);
    applied.sort((a, b) => (isBefore(placeOf(a), placeOf(b)) ? -1 : 1));
  }
  return { refunds, applied };
}

/**
 * The steps of one customer in the order of replay (docs/programs.md, "What can be recomputed"): by offset; at one offset first what was
 * applied, then the event. What was redriven comes at the row that says so. Refunds that waited for their order come at their own
 * offset: the ledger parks them, as the program did.
 */
export async function* replaySteps<O extends OrderRow, R extends RefundRow>(
  streams: StoredStreams<O, R>,
  acct: number,
  { refunds, applied }: CustomerHistory<R>,
): AsyncGenerator<ReplayStep<O, R>> {
  const redriven = new Map<string, O | R | null>();
  for (const row of applied) if (row.kind === "redrive") redriven.set(recordOf(row), null);
  const atOwnOffset = redriven.size === 0 ? refunds : refunds.filter((row) => !stash(redriven, row));
  let nextRefund = 0;
  let nextApplied = 0;
  for (;;) {
    const order = await nextOrder<O, R>(streams, acct, redriven);
    const refund = atOwnOffset[nextRefund];
    const row = applied[nextApplied];
    const event = order === undefined || (refund !== undefined && refund.off < order.off) ? refund : order;
    if (row !== undefined && (event === undefined || isBefore(placeOf(row), eventPlace(event)))) {
      nextApplied++;
      if (row.kind === "redrive") yield* redrivenStep<O, R>(redriven, row);
      else yield { kind: "applied", place: placeOf(row), row };
    } else if (event === undefined) return;
    else if (event === refund) {
      nextRefund++;
      yield { kind: "refund", place: eventPlace(refund), row: refund, redrive: null };
    } else if (order !== undefined) {
      streams.orders.skip();
      yield { kind: "order", place: eventPlace(order), row: order, redrive: null };
    }
  }
}

/** The next order that comes at its own offset; those that come later are put aside. */
async function nextOrder<O extends OrderRow, R extends RefundRow>(
  { orders }: StoredStreams<O, R>,
  acct: number,
  redriven: Map<string, O | R | null>,
): Promise<O | undefined> {
  for (;;) {
    const row = orders.ready ?? (await orders.peek());
    if (row === undefined || Number(row.acct) !== acct) return undefined;
    if (redriven.size === 0 || !stash(redriven, row)) return row;
    orders.skip();
  }
}

function stash<O extends OrderRow, R extends RefundRow>(redriven: Map<string, O | R | null>, row: O | R): boolean {
  const key = `${row.part}:${row.off}`;
  if (!redriven.has(key)) return false;
  redriven.set(key, row);
  return true;
}

function* redrivenStep<O extends OrderRow, R extends RefundRow>(
  redriven: ReadonlyMap<string, O | R | null>,
  redrive: AppliedRow,
): Generator<ReplayStep<O, R>> {
  // What was parked again and still waits, or was rejected later, has no row and changed nothing.
  const row = redriven.get(recordOf(redrive)) ?? null;
  if (row === null) return;
  if ("refund_id" in row) yield { kind: "refund", place: placeOf(redrive), row, redrive };
  else yield { kind: "order", place: placeOf(redrive), row, redrive };
}

function recordOf(redrive: AppliedRow): string {
  const { partition, offset } = redrive.detail as RedriveDetail;
  return `${partition}:${offset}`;
}

function placeOf(row: AppliedRow): ReplayPlace {
  return { partition: row.part, offset: Number(row.off), n: Number(row.n) };
}

function eventPlace(row: { readonly part: number; readonly off: bigint }): ReplayPlace {
  return { partition: row.part, offset: Number(row.off), n: Number.POSITIVE_INFINITY };
}
