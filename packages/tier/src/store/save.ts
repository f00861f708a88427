import { insertSet, type Tx, updateSet } from "@perkstream/postgres";
import type { PartitionProgress } from "@perkstream/program";
import type { Customer, RecordedChange } from "../customer.ts";
import { ALL, fullRow, onlyTotals, TOTALS, totalsRow } from "./account-row.ts";

const DAY = { acct: "int8", day: "int4", net: "int8", orders: "int4" } as const;
const HISTORY = {
  acct: "int8",
  seq: "int4",
  from_level: "text",
  to_level: "text",
  reason: "text",
  actor: "text",
  as_of: "timestamptz",
  part: "int4",
  off: "int8",
  n: "int8",
  rule_version: "int4",
  order_id: "text",
  metric: "int8",
  last_period_metric: "int8",
} as const;

/**
 * Writes what a transaction changed of customers: at most a statement per table and kind of row, sent together.
 *
 * @param nextOffset the program's next offset per partition after this transaction
 */
export async function saveCustomers(
  tx: Tx,
  customers: Iterable<Customer>,
  changes: readonly RecordedChange[],
  nextOffset: (partition: number) => number,
): Promise<void> {
  const totals: Customer[] = [];
  const full: Customer[] = [];
  const touched: Customer[] = [];
  for (const customer of customers) {
    if (customer.changed) (onlyTotals(customer) ? totals : full).push(customer);
    if (customer.deltas.size > 0) touched.push(customer);
  }
  await Promise.all([
    updateSet(tx, "tier.account", ["acct"], TOTALS, inOrder(totals).map(totalsRow)),
    updateSet(
      tx,
      "tier.account",
      ["acct"],
      ALL,
      inOrder(full).map((customer) => fullRow(customer, nextOffset(customer.partition))),
    ),
    insertSet(
      tx,
      "tier.day AS t",
      DAY,
      inOrder(touched).flatMap(({ acct, deltas }) =>
        [...deltas].map(([day, { netMinor, orders }]) => ({ acct, day, net: netMinor, orders })),
      ),
      "ON CONFLICT (acct, day) DO UPDATE SET net = t.net + excluded.net, orders = t.orders + excluded.orders",
    ),
    insertSet(tx, "tier.history", HISTORY, changes.map(historyRow)),
  ]);
}

function inOrder(customers: Customer[]): Customer[] {
  return customers.sort((a, b) => a.acct - b.acct);
}

function historyRow({ customer, change, seq, partition, offset, n }: RecordedChange) {
  return {
    acct: customer.acct,
    seq,
    from_level: change.from?.id ?? null,
    to_level: change.to?.id ?? null,
    reason: change.reason,
    actor: change.actor,
    as_of: change.asOf,
    part: partition,
    off: offset,
    n,
    rule_version: change.ruleVersion,
    order_id: change.orderId,
    metric: change.metric,
    last_period_metric: change.lastPeriodMetric,
  };
}

const CHANGES = 0;

/** Numbers the changes of partitions by their progress rows' counter. */
export function numbering(progress: ReadonlyMap<number, PartitionProgress>): (partition: number) => number {
  return (partition) => {
    const counters = progress.get(partition)?.counters;
    if (counters === undefined) throw new Error(`partition ${partition} is not locked`);
    counters[CHANGES] = (counters[CHANGES] ?? 0) + 1;
    return counters[CHANGES];
  };
}
