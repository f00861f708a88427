import { topics } from "@perkstream/contracts";
import { fromSet, type Sql, type Tx } from "@perkstream/postgres";

/*
 * Order ids belong to a merchant. When two customers send the same one, they do so in two partitions, and whichever program
 * counts whichever first. Cashback follows tier: an order that tier refused as a conflict, and one that tier has not read yet,
 * may be another customer's in tier. Only of those the owner is looked up, so that nearly all orders cost nothing.
 */

/** Offsets of a partition, both included. */
export interface OffsetRange {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** What tier says of a partition, in one snapshot. */
export interface Standing {
  /** The next offset to be handled. */
  readonly nextOffset: number;
  /** Offsets of the range at which it made a dead letter `order_conflict`. */
  readonly conflicts: ReadonlySet<number>;
}

/** `merchant` is the surrogate id of schema `merchant`. */
export interface OrderKey {
  readonly merchant: number;
  readonly orderId: string;
}

const RANGE = { part: "int4", lo: "int8", hi: "int8" } as const;

export async function readStanding(tx: Sql | Tx, ranges: readonly OffsetRange[]): Promise<ReadonlyMap<number, Standing>> {
  const set = fromSet(
    RANGE,
    ranges.map(({ partition, from, to }) => ({ part: partition, lo: from, hi: to })),
    2,
  );
  const rows: readonly { part: number; next_off: bigint; off: bigint | null }[] = await tx.unsafe(
    `SELECT p.part, p.next_off, d.off FROM ${set.text} AS r JOIN tier.progress p ON p.topic = $1 AND p.part = r.part
     LEFT JOIN tier.dead_letter d ON d.part = r.part AND d.off BETWEEN r.lo AND r.hi AND d.reason = 'order_conflict' AND d.topic = $1`,
    [topics.orders, ...set.params],
    { prepare: true },
  );
  const standing = new Map<number, { nextOffset: number; conflicts: Set<number> }>();
  for (const { part, next_off, off } of rows) {
    let known = standing.get(part);
    if (known === undefined) standing.set(part, (known = { nextOffset: Number(next_off), conflicts: new Set() }));
    if (off !== null) known.conflicts.add(Number(off));
  }
  return standing;
}

const ORDER = { i: "int4", merchant: "int4", order_id: "text" } as const;

export async function readOwners(tx: Sql | Tx, keys: readonly OrderKey[]): Promise<readonly (string | null)[]> {
  const owners = keys.map((): string | null => null);
  if (keys.length === 0) return owners;
  const set = fromSet(
    ORDER,
    keys.map(({ merchant, orderId }, i) => ({ i, merchant, order_id: orderId })),
  );
  const rows: readonly { i: number; customer_id: string }[] = await tx.unsafe(
    `SELECT q.i, a.customer_id FROM ${set.text} AS q JOIN tier."order" o ON o.merchant = q.merchant AND o.order_id = q.order_id
     JOIN tier.account a ON a.acct = o.acct`,
    set.params,
    { prepare: true },
  );
  for (const { i, customer_id } of rows) owners[i] = customer_id;
  return owners;
}
