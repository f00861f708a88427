import type { OrderEvent, OrderPlaced } from "@perkstream/contracts";
import { fromSet, parseInt8Array, parseMinorArray, type Tx } from "@perkstream/postgres";
import type { SourceRecord } from "@perkstream/program";
import type { OrderDecoder } from "../decode.ts";
import { OrderState, type Refund } from "../domain/order.ts";
import type { Booked } from "../handle.ts";
import { MerchantMap } from "../merchant-map.ts";
import type { OrderBookOptions } from "./contract.ts";
import { extraList, extraNames, readExtra } from "./extra.ts";

export interface OrderKey {
  readonly merchant: number;
  readonly orderId: string;
}

export interface ParkedRow extends OrderKey {
  readonly id: number;
  readonly record: SourceRecord;
}

/** What was read for one transaction. */
export interface Loaded<X> {
  readonly orders: MerchantMap<Booked<X>>;
  readonly parked: MerchantMap<ParkedRow[]>;
}

/** Distinct keys of orders. */
export type Keys = MerchantMap<{ readonly merchant: number; readonly order_id: string }>;

export interface Wanted {
  readonly orders: Keys;
  readonly refunds: Keys;
  readonly parked: Keys;
}

type Rows = readonly Record<string, unknown>[];

const KEY = { merchant: "int4", order_id: "text" } as const;
const DAY_MS = 86_400_000;
/** With at most so many parked events they are compared here; a lookup of so few orders is made at once. */
const PARKED_PEEK = 64;

/** The statements that read the tables of one schema; three at most, sent together. */
export function createReader<X, R>(options: OrderBookOptions<X, R>) {
  const names = extraNames(options.extra.order);
  const orderSql = (from: string) =>
    `SELECT o.merchant, o.order_id, o.acct, o.part, o.off, o.occurred_at, o.local_date, o.record_at, o.payload, o.remaining, o.cancelled` +
    `${extraList(names, "o")} FROM ${from} AS k JOIN "${options.schema}"."order" o USING (merchant, order_id)`;
  const refundSql = (from: string) =>
    `SELECT r.merchant, r.order_id, r.refund_id, r.occurred_at, r.payload, r.lines, r.amounts ` +
    `FROM ${from} AS k JOIN "${options.schema}".refund r USING (merchant, order_id) ORDER BY r.merchant, r.order_id, r.position`;
  const parkedSql = (from: string) =>
    `SELECT p.id, p.merchant, p.order_id, p.part, p.off, p.record_at, p.key, p.value, p.headers ` +
    `FROM ${from} AS k JOIN "${options.schema}".parked p USING (merchant, order_id) ORDER BY p.id`;
  const peekSql = `SELECT merchant, order_id FROM "${options.schema}".parked LIMIT ${PARKED_PEEK + 1}`;

  // Nearly always next to nothing is parked: then the keys of a whole chunk are not sent to be looked up.
  async function peek(tx: Tx, wanted: Keys): Promise<Keys> {
    if (wanted.size <= PARKED_PEEK) return wanted;
    const some: Rows = await tx.unsafe(peekSql, [], { prepare: true });
    if (some.length > PARKED_PEEK) return wanted;
    const keys: Keys = new MerchantMap();
    for (const row of some) {
      const key = wanted.get(Number(row["merchant"]), String(row["order_id"]));
      if (key !== undefined) keys.set(key.merchant, key.order_id, key);
    }
    return keys;
  }

  async function read(tx: Tx, wanted: Wanted): Promise<Loaded<X>> {
    const [orderRows, refundRows, parkedRows] = await Promise.all([
      select(tx, orderSql, wanted.orders),
      select(tx, refundSql, wanted.refunds),
      peek(tx, wanted.parked).then((keys) => select(tx, parkedSql, keys)),
    ]);
    await options.decoder.prepare([...buffers(orderRows, "payload"), ...buffers(refundRows, "payload"), ...buffers(parkedRows, "value")]);
    const orders = new MerchantMap<Booked<X>>();
    for (const row of orderRows) {
      const order = orderOf(row, options.decoder);
      orders.set(order.place.merchant, order.orderId, { order, extra: readExtra(options.extra.order, names, row) });
    }
    for (const row of refundRows) {
      const refund = refundOf(row, options.decoder);
      orders.get(Number(row["merchant"]), String(row["order_id"]))?.order.refunds.set(refund.refundId ?? "", refund);
    }
    return { orders, parked: groupParked(parkedRows) };
  }
  return { read };
}

export type Reader<X> = { read(tx: Tx, wanted: Wanted): Promise<Loaded<X>> };

async function select(tx: Tx, text: (from: string) => string, keys: Keys): Promise<Rows> {
  if (keys.size === 0) return [];
  const set = fromSet(KEY, [...keys.values()]);
  return tx.unsafe(text(set.text), set.params, { prepare: true });
}

function orderOf(row: Record<string, unknown>, decoder: OrderDecoder): OrderState {
  return new OrderState({
    place: {
      merchant: Number(row["merchant"]),
      acct: Number(row["acct"]),
      partition: Number(row["part"]),
      offset: Number(row["off"]),
      recordAt: instantOf(row["record_at"]),
      localDay: Date.parse(String(row["local_date"])) / DAY_MS,
    },
    orderId: String(row["order_id"]),
    occurredAt: instantOf(row["occurred_at"]),
    payload: bufferOf(row["payload"]),
    cancelled: row["cancelled"] === true,
    remaining: typeof row["remaining"] === "string" ? parseMinorArray(row["remaining"]) : null,
    decode: (payload) => placedOf(decodeStored(decoder, payload)),
  });
}

function refundOf(row: Record<string, unknown>, decoder: OrderDecoder): Refund {
  const amounts = parseMinorArray(String(row["amounts"]));
  const lines = parseInt8Array(String(row["lines"])).map((line, i) => ({ line, amountMinor: amounts[i]! }));
  const payload = bufferOf(row["payload"]);
  const refundId = String(row["refund_id"]);
  return {
    refundId: refundId === "" ? null : refundId,
    occurredAt: instantOf(row["occurred_at"]),
    lines,
    amountMinor: amounts.reduce((total, amount) => total + amount, 0n),
    event: () => decodeStored(decoder, payload),
    payload,
  };
}

function groupParked(rows: Rows): MerchantMap<ParkedRow[]> {
  const groups = new MerchantMap<ParkedRow[]>();
  for (const row of rows) {
    const parked = parkedOf(row);
    const group = groups.get(parked.merchant, parked.orderId);
    if (group === undefined) groups.set(parked.merchant, parked.orderId, [parked]);
    else group.push(parked);
  }
  return groups;
}

function parkedOf(row: Record<string, unknown>): ParkedRow {
  const stored = row["headers"] as Readonly<Record<string, string>>;
  const headers: Record<string, Buffer> = {};
  for (const [name, value] of Object.entries(stored)) headers[name] = Buffer.from(value, "base64");
  return {
    id: Number(row["id"]),
    merchant: Number(row["merchant"]),
    orderId: String(row["order_id"]),
    record: {
      partition: Number(row["part"]),
      offset: Number(row["off"]),
      timestamp: instantOf(row["record_at"]),
      key: row["key"] === null ? null : bufferOf(row["key"]),
      value: bufferOf(row["value"]),
      headers,
    },
  };
}

/** Decodes bytes that were decoded when they were stored: not being able to is a defect. */
export function decodeStored(decoder: OrderDecoder, payload: Buffer): OrderEvent {
  const decoded = decoder.decode(payload);
  if (!decoded.ok) throw new Error(`a stored order event does not decode: ${decoded.message}`);
  return decoded.event;
}

function placedOf(event: OrderEvent): OrderPlaced {
  if (event.type !== "OrderPlaced") throw new Error(`a stored order is a ${event.type}`);
  return event;
}

function instantOf(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  throw new Error("a timestamptz column was not read as Date");
}

function bufferOf(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value;
  throw new Error("a bytea column was not read as Buffer");
}

function buffers(rows: Rows, column: string): Buffer[] {
  return rows.map((row) => bufferOf(row[column]));
}
