import { fromSet, insertSet, updateSet, type Tx } from "@perkstream/postgres";
import type { Lot } from "../domain/index.ts";

export interface LotRow {
  readonly acct: bigint;
  readonly lot_id: bigint;
  readonly order_id: string;
  readonly campaign: number;
  readonly granted: bigint;
  readonly pending: bigint;
  readonly available: bigint;
  readonly reserved: bigint;
  readonly redeemed: bigint;
  readonly expired: bigint;
  readonly reversed: bigint;
  readonly available_at: Date;
  readonly expires_at: Date | null;
  readonly noticed: boolean;
}

const NAMES =
  "acct, lot_id, order_id, campaign, granted, pending, available, reserved, redeemed, expired, reversed, available_at, expires_at, noticed";
const SELECTED = NAMES.split(", ")
  .map((name) => `l.${name}`)
  .join(", ");

export function lotOf(row: LotRow, campaignId: string): Lot {
  return {
    lotId: Number(row.lot_id),
    orderId: row.order_id,
    campaign: row.campaign,
    campaignId,
    grantedMinor: row.granted,
    pendingMinor: row.pending,
    availableMinor: row.available,
    reservedMinor: row.reserved,
    redeemedMinor: row.redeemed,
    expiredMinor: row.expired,
    reversedMinor: row.reversed,
    availableAt: row.available_at.getTime(),
    expiresAt: row.expires_at === null ? null : row.expires_at.getTime(),
    noticed: row.noticed,
    dirty: false,
  };
}

export interface LotKey {
  readonly acct: number;
  readonly lot: number;
}

export async function lotsById(tx: Tx, keys: readonly LotKey[]): Promise<readonly LotRow[]> {
  if (keys.length === 0) return [];
  const set = fromSet(
    { acct: "int8", lot_id: "int8" },
    keys.map(({ acct, lot }) => ({ acct, lot_id: lot })),
  );
  return tx.unsafe(`SELECT ${SELECTED} FROM ${set.text} AS r JOIN cashback.lot l USING (acct, lot_id)`, set.params, { prepare: true });
}

/** A customer whose due work is wanted: up to `until`, notices of what expires up to `announceUntil` (ms). */
export interface DueKey {
  readonly acct: number;
  readonly until: number;
  readonly announceUntil: number;
}

const DUE = { acct: "int8", until_at: "timestamptz", announce_until: "timestamptz" } as const;

function dueSet(keys: readonly DueKey[], firstParam = 1) {
  return fromSet(
    DUE,
    keys.map(({ acct, until, announceUntil }) => ({ acct, until_at: until, announce_until: announceUntil })),
    firstParam,
  );
}

const DUE_LOTS = `
  SELECT ${SELECTED}, l.available_at AS moment FROM cashback.lot l WHERE l.acct = r.acct AND l.pending > 0 AND l.available_at <= r.until_at
  UNION ALL
  SELECT ${SELECTED}, l.expires_at AS moment FROM cashback.lot l
    WHERE l.acct = r.acct AND l.available > 0 AND l.expires_at <= greatest(r.until_at, r.announce_until) AND (l.expires_at <= r.until_at OR NOT l.noticed)`;

/** Every lot that something is due for. */
export async function dueLots(tx: Tx, keys: readonly DueKey[]): Promise<readonly LotRow[]> {
  if (keys.length === 0) return [];
  const set = dueSet(keys);
  return tx.unsafe(`SELECT d.* FROM ${set.text} AS r JOIN LATERAL (${DUE_LOTS}) AS d ON true`, set.params, { prepare: true });
}

/** How many lots `dueLots` gives of each customer, counted up to `limit`. */
export async function dueCounts(tx: Tx, keys: readonly DueKey[], limit: number): Promise<Map<number, number>> {
  if (keys.length === 0) return new Map();
  const set = dueSet(keys, 2);
  const rows = await tx.unsafe<{ acct: bigint; lots: bigint }[]>(
    `SELECT r.acct, d.lots FROM ${set.text} AS r JOIN LATERAL (SELECT count(*) AS lots FROM (${DUE_LOTS} LIMIT $1) AS c) AS d ON true`,
    [limit, ...set.params],
    { prepare: true },
  );
  return new Map(rows.map(({ acct, lots }) => [Number(acct), Number(lots)]));
}

/**
 * How far each customer's due work can go when at most `limit` lots are loaded: the moment after which more lots are due.
 * Customers that have no more than `limit` are not in the answer.
 */
export async function dueBounds(tx: Tx, keys: readonly DueKey[], limit: number): Promise<Map<number, number>> {
  if (keys.length === 0) return new Map();
  const set = dueSet(keys, 2);
  const rows = await tx.unsafe<{ acct: bigint; first: Date; cut: Date }[]>(
    `SELECT r.acct, d.first, d.cut FROM ${set.text} AS r JOIN LATERAL (
       SELECT min(moment) AS first, max(moment) FILTER (WHERE n > $1) AS cut
       FROM (SELECT moment, row_number() OVER (ORDER BY moment) AS n FROM (
         (SELECT l.available_at AS moment FROM cashback.lot l WHERE l.acct = r.acct AND l.pending > 0 AND l.available_at <= r.until_at ORDER BY 1 LIMIT $1 + 1)
         UNION ALL
         (SELECT l.expires_at FROM cashback.lot l WHERE l.acct = r.acct AND l.available > 0 AND l.expires_at <= r.until_at ORDER BY 1 LIMIT $1 + 1)) m
         ORDER BY moment LIMIT $1 + 1) o) AS d ON d.cut IS NOT NULL`,
    [limit, ...set.params],
    { prepare: true },
  );
  // Moments that are all the same cannot be cut.
  return new Map(rows.map(({ acct, first, cut }) => [Number(acct), Math.max(first.getTime(), cut.getTime() - 1)]));
}

export interface Watermarks {
  readonly dueAt: number;
  readonly unannouncedAt: number;
}

/** When something is due next beyond what `dueLots` gives. */
export async function watermarksBeyond(tx: Tx, keys: readonly DueKey[]): Promise<Map<number, Watermarks>> {
  if (keys.length === 0) return new Map();
  const set = dueSet(keys);
  const rows = await tx.unsafe<{ acct: bigint; due_at: Date | null; unannounced_at: Date | null }[]>(
    `SELECT r.acct,
       least((SELECT min(l.available_at) FROM cashback.lot l WHERE l.acct = r.acct AND l.pending > 0 AND l.available_at > r.until_at),
             (SELECT min(l.expires_at) FROM cashback.lot l WHERE l.acct = r.acct AND l.available > 0 AND l.expires_at > r.until_at),
             (SELECT min(p.expires_at) FROM cashback.redemption p WHERE p.acct = r.acct AND p.status = 1 AND p.expires_at > r.until_at)) AS due_at,
       (SELECT min(l.expires_at) FROM cashback.lot l WHERE l.acct = r.acct AND l.available > 0
          AND l.expires_at > greatest(r.until_at, r.announce_until) AND NOT l.noticed) AS unannounced_at
     FROM ${set.text} AS r`,
    set.params,
    { prepare: true },
  );
  const at = (value: Date | null) => (value === null ? Number.POSITIVE_INFINITY : value.getTime());
  return new Map(rows.map((row) => [Number(row.acct), { dueAt: at(row.due_at), unannouncedAt: at(row.unannounced_at) }]));
}

/** A customer of whom available lots worth `needMinor` are wanted, in the order of use, beside those that are `loaded`. */
export interface UseKey {
  readonly acct: number;
  readonly needMinor: bigint;
  readonly loaded: ReadonlyMap<number, unknown>;
}

const FIRST_STEP = 64;

/**
 * The lots that are used first, until they are worth what is needed or there are no more. Loaded ones come along: leaving them out
 * in the statement would compare every lot with every loaded one.
 */
export async function usableLots(tx: Tx, keys: readonly UseKey[]): Promise<LotRow[]> {
  const found: LotRow[] = [];
  let open = keys;
  for (let limit = FIRST_STEP; open.length > 0; limit *= 8) {
    const set = fromSet(
      { acct: "int8" },
      open.map(({ acct }) => ({ acct })),
      2,
    );
    const rows = await tx.unsafe<LotRow[]>(
      `SELECT d.* FROM ${set.text} AS r JOIN LATERAL (
         SELECT ${SELECTED} FROM cashback.lot l WHERE l.acct = r.acct AND l.available > 0
         ORDER BY l.expires_at, l.lot_id LIMIT $1) AS d ON true`,
      [limit, ...set.params],
      { prepare: true },
    );
    const byAcct = Map.groupBy(rows, (row) => Number(row.acct));
    for (const row of rows) found.push(row);
    open = open.filter(({ acct, needMinor, loaded }) => {
      const lots = byAcct.get(acct) ?? [];
      let worthMinor = 0n;
      for (const lot of lots) if (!loaded.has(Number(lot.lot_id))) worthMinor += lot.available;
      return lots.length === limit && worthMinor < needMinor;
    });
  }
  return found;
}

const GRANTED = {
  acct: "int8",
  lot_id: "int8",
  order_id: "text",
  campaign: "int4",
  granted: "int8",
  pending: "int8",
  available: "int8",
  available_at: "timestamptz",
  expires_at: "timestamptz",
} as const;

/** With what only differs from its default once something happened to the lot. */
const INSERTED = {
  ...GRANTED,
  reserved: "int8",
  redeemed: "int8",
  expired: "int8",
  reversed: "int8",
  noticed: "bool",
} as const;

const UPDATED = {
  acct: "int8",
  lot_id: "int8",
  pending: "int8",
  available: "int8",
  reserved: "int8",
  redeemed: "int8",
  expired: "int8",
  reversed: "int8",
  expires_at: "timestamptz",
  noticed: "bool",
} as const;

export interface OwnedLot {
  readonly acct: number;
  readonly lot: Lot;
}

/** In the order of their key: neighbours in the index are then written one after the other, which is a third less work. */
export async function insertLots(tx: Tx, lots: readonly OwnedLot[]): Promise<void> {
  const sorted = lots.toSorted((a, b) => a.acct - b.acct || a.lot.lotId - b.lot.lotId);
  const rows = sorted.map(({ acct, lot }) => ({
    ...changing(acct, lot),
    order_id: lot.orderId,
    campaign: lot.campaign,
    granted: lot.grantedMinor,
    available_at: lot.availableAt,
  }));
  await insertSet(tx, "cashback.lot", lots.every(({ lot }) => isAsGranted(lot)) ? GRANTED : INSERTED, rows);
}

export async function updateLots(tx: Tx, lots: readonly OwnedLot[]): Promise<void> {
  await updateSet(
    tx,
    "cashback.lot",
    ["acct", "lot_id"],
    UPDATED,
    lots.map(({ acct, lot }) => changing(acct, lot)),
  );
}

function isAsGranted(lot: Lot): boolean {
  return lot.reservedMinor + lot.redeemedMinor + lot.expiredMinor + lot.reversedMinor === 0n && !lot.noticed;
}

function changing(acct: number, lot: Lot) {
  return {
    acct,
    lot_id: lot.lotId,
    pending: lot.pendingMinor,
    available: lot.availableMinor,
    reserved: lot.reservedMinor,
    redeemed: lot.redeemedMinor,
    expired: lot.expiredMinor,
    reversed: lot.reversedMinor,
    expires_at: lot.expiresAt,
    noticed: lot.noticed,
  };
}
