import { fromSet, insertSet, updateSet, type Tx } from "@perkstream/postgres";
import type { Redemption, RedemptionPart, RedemptionStatus } from "../domain/index.ts";

const codes: Readonly<Record<RedemptionStatus, number>> = { reserved: 1, committed: 2, released: 3, lapsed: 4 };
/** Statuses by their stored numbers. */
export const redemptionStatuses: readonly RedemptionStatus[] = ["reserved", "reserved", "committed", "released", "lapsed"];

export interface RedemptionRow {
  readonly seq: bigint;
  readonly redemption_id: string;
  readonly merchant: number;
  readonly acct: bigint;
  readonly order_id: string | null;
  readonly amount: bigint;
  readonly status: number;
  readonly created_at: Date;
  readonly expires_at: Date | null;
}

export interface PartRow {
  readonly redemption: bigint;
  readonly n: number;
  readonly lot: bigint;
  readonly amount: bigint;
  readonly restored: bigint;
}

const NAMES = "seq, redemption_id, merchant, acct, order_id, amount, status, created_at, expires_at";
const SELECTED = NAMES.split(", ")
  .map((name) => `p.${name}`)
  .join(", ");

/** Open reservations that lapse by then. */
export async function dueReservations(
  tx: Tx,
  keys: readonly { readonly acct: number; readonly until: number }[],
): Promise<readonly RedemptionRow[]> {
  if (keys.length === 0) return [];
  const set = fromSet(
    { acct: "int8", until_at: "timestamptz" },
    keys.map(({ acct, until }) => ({ acct, until_at: until })),
  );
  return tx.unsafe(
    `SELECT ${SELECTED} FROM ${set.text} AS r JOIN cashback.redemption p ON p.acct = r.acct AND p.status = 1 AND p.expires_at <= r.until_at`,
    set.params,
    { prepare: true },
  );
}

/** Committed redemptions that name these orders. */
export async function redemptionsOfOrders(
  tx: Tx,
  keys: readonly { readonly acct: number; readonly orderId: string }[],
): Promise<readonly RedemptionRow[]> {
  if (keys.length === 0) return [];
  const set = fromSet(
    { acct: "int8", order_id: "text" },
    keys.map(({ acct, orderId }) => ({ acct, order_id: orderId })),
  );
  return tx.unsafe(
    `SELECT ${SELECTED} FROM ${set.text} AS r JOIN cashback.redemption p ON p.acct = r.acct AND p.order_id = r.order_id WHERE p.status = 2`,
    set.params,
    { prepare: true },
  );
}

export async function findRedemption(tx: Tx, merchant: number, redemptionId: string): Promise<RedemptionRow | undefined> {
  const rows = await tx.unsafe<RedemptionRow[]>(
    `SELECT ${SELECTED} FROM cashback.redemption p WHERE p.redemption_id = $2 AND p.merchant = $1`,
    [merchant, redemptionId],
    { prepare: true },
  );
  return rows[0];
}

export async function partsOf(tx: Tx, redemptions: readonly RedemptionRow[]): Promise<readonly PartRow[]> {
  if (redemptions.length === 0) return [];
  const seqs = `{${[...new Set(redemptions.map((row) => row.seq))].join(",")}}`;
  return tx.unsafe(
    `SELECT redemption, n, lot, amount, restored FROM cashback.redemption_part WHERE redemption = ANY($1::int8[]) ORDER BY redemption, n`,
    [seqs],
    { prepare: true },
  );
}

export function redemptionOf(row: RedemptionRow, parts: readonly RedemptionPart[]): Redemption {
  return {
    redemptionId: row.redemption_id,
    sequence: Number(row.seq),
    orderId: row.order_id,
    amountMinor: row.amount,
    status: redemptionStatuses[row.status] ?? "reserved",
    createdAt: row.created_at.getTime(),
    expiresAt: row.expires_at === null ? null : row.expires_at.getTime(),
    parts,
    dirty: false,
  };
}

export interface OwnedRedemption {
  readonly acct: number;
  readonly merchant: number;
  readonly redemption: Redemption;
}

export async function insertRedemptions(tx: Tx, all: readonly OwnedRedemption[]): Promise<void> {
  await insertSet(
    tx,
    "cashback.redemption",
    {
      seq: "int8",
      redemption_id: "text",
      merchant: "int4",
      acct: "int8",
      order_id: "text",
      amount: "int8",
      status: "int2",
      created_at: "timestamptz",
      expires_at: "timestamptz",
    },
    all.map(({ acct, merchant, redemption }) => ({
      seq: redemption.sequence,
      redemption_id: redemption.redemptionId,
      merchant,
      acct,
      order_id: redemption.orderId,
      amount: redemption.amountMinor,
      status: codes[redemption.status],
      created_at: redemption.createdAt,
      expires_at: redemption.expiresAt,
    })),
  );
  await insertSet(
    tx,
    "cashback.redemption_part",
    { redemption: "int8", n: "int4", lot: "int8", amount: "int8", restored: "int8" },
    all.flatMap(partRows),
  );
}

export async function updateRedemptions(tx: Tx, all: readonly OwnedRedemption[]): Promise<void> {
  await updateSet(
    tx,
    "cashback.redemption",
    ["seq"],
    { seq: "int8", order_id: "text", status: "int2" },
    all.map(({ redemption }) => ({ seq: redemption.sequence, order_id: redemption.orderId, status: codes[redemption.status] })),
  );
  await updateSet(
    tx,
    "cashback.redemption_part",
    ["redemption", "n"],
    { redemption: "int8", n: "int4", restored: "int8" },
    all.flatMap(partRows).map(({ redemption, n, restored }) => ({ redemption, n, restored })),
  );
}

function partRows({ redemption }: OwnedRedemption) {
  return redemption.parts.map(({ lot, amountMinor, restoredMinor }, n) => ({
    redemption: redemption.sequence,
    n,
    lot: lot.lotId,
    amount: amountMinor,
    restored: restoredMinor,
  }));
}
