import { createHash } from "node:crypto";
import { insertSet, type Tx } from "@perkstream/postgres";
import type { PartitionProgress } from "@perkstream/program";
import type { Transfer } from "../domain/index.ts";

/** What each counter of the cashback program's progress row counts. */
export const counter = { lots: 0, transfers: 1, redemptions: 2, seals: 3 } as const;

const IDS_PER_PARTITION = 2 ** 40;

/** The next id of a partition: partition × 2^40 + n, n from 1. */
export function nextId(progress: PartitionProgress, which: number): number {
  const n = (progress.counters[which] ?? 0) + 1;
  while (progress.counters.length <= which) progress.counters.push(0);
  progress.counters[which] = n;
  return progress.partition * IDS_PER_PARTITION + n;
}

export interface NumberedTransfer {
  readonly id: number;
  readonly transfer: Transfer;
}

const COLUMNS = {
  acct: "int8",
  id: "int8",
  lot: "int8",
  debit: "int2",
  credit: "int2",
  kind: "int2",
  amount: "int8",
  off: "int8",
  request_id: "text",
  as_of: "timestamptz",
} as const;

function rowOf({ id, transfer }: NumberedTransfer) {
  const { cause } = transfer;
  return {
    acct: transfer.customer.acct,
    id,
    lot: transfer.lot.lotId,
    debit: transfer.debit,
    credit: transfer.credit,
    kind: transfer.kind,
    amount: transfer.amountMinor,
    off: "offset" in cause ? cause.offset : null,
    request_id: "requestId" in cause ? cause.requestId : null,
    as_of: transfer.asOf,
  };
}

/** Ids of transfers as numbers of a partition, from 1, and back. */
export const transferNumber = {
  partition: (id: bigint) => Math.floor(Number(id) / IDS_PER_PARTITION),
  of: (id: bigint) => Number(id) % IDS_PER_PARTITION,
  id: (partition: number, n: number) => partition * IDS_PER_PARTITION + n,
};

/** Columns of a transfer as its seal takes them; `as_of` in ms. */
interface SealedColumns {
  readonly id: number | bigint;
  readonly acct: number | bigint;
  readonly lot: number | bigint;
  readonly debit: number;
  readonly credit: number;
  readonly kind: number;
  readonly amount: bigint;
  readonly off: number | bigint | null;
  readonly request_id: string | null;
  readonly as_of: number;
}

/** The text of a transfer that its seal covers; the stored columns, nothing else. */
export function sealedText(row: SealedColumns): string {
  return `${row.id},${row.acct},${row.lot},${row.debit},${row.credit},${row.kind},${row.amount},${row.off ?? ""},${row.request_id ?? ""},${row.as_of}\n`;
}

/** Appends the transfers of a commit and seals them, one seal per partition. */
export async function saveTransfers(
  tx: Tx,
  progress: ReadonlyMap<number, PartitionProgress>,
  byPart: ReadonlyMap<number, readonly NumberedTransfer[]>,
): Promise<void> {
  if (byPart.size === 0) return;
  const rows = new Map([...byPart].map(([part, transfers]) => [part, transfers.map(rowOf)]));
  const [heads] = await Promise.all([
    sealHeads(tx, [...rows.keys()]),
    insertSet(tx, "cashback.transfer", COLUMNS, inKeyOrder([...rows.values()].flat())),
  ]);
  const seals = [...rows].map(([part, own]) => {
    const hash = createHash("sha256");
    const head = heads.get(part);
    if (head !== undefined) hash.update(head);
    let text = "";
    for (const row of own) text += sealedText(row);
    hash.update(text);
    const held = progress.get(part);
    if (held === undefined) throw new Error(`partition ${part} is not locked`);
    const n = nextId(held, counter.seals) - part * IDS_PER_PARTITION;
    return { part, n, from_id: own[0]?.id ?? 0, to_id: own.at(-1)?.id ?? 0, hash: hash.digest() };
  });
  await insertSet(tx, "cashback.seal", { part: "int4", n: "int8", from_id: "int8", to_id: "int8", hash: "bytea" }, seals);
}

// Neighbours in the index are then written one after the other.
function inKeyOrder(rows: readonly ReturnType<typeof rowOf>[]): readonly ReturnType<typeof rowOf>[] {
  return rows.toSorted((a, b) => a.acct - b.acct || a.id - b.id);
}

async function sealHeads(tx: Tx, parts: readonly number[]): Promise<Map<number, Buffer>> {
  const rows = await tx.unsafe<{ part: number; hash: Buffer }[]>(
    `SELECT p.part, s.hash FROM unnest($1::int4[]) AS p(part) JOIN LATERAL
       (SELECT hash FROM cashback.seal WHERE part = p.part ORDER BY n DESC LIMIT 1) AS s ON true`,
    [`{${parts.join(",")}}`],
    { prepare: true },
  );
  return new Map(rows.map(({ part, hash }) => [part, hash]));
}
