import { fromSet, insertSet, parseInt8Array, type Sql, type Tx } from "@perkstream/postgres";

/** A customer that a transaction is about. `create`: an order is among the events. */
export interface Wanted {
  readonly merchant: number;
  readonly customerId: string;
  readonly partition: number;
  create: boolean;
}

/** A customer's units on one card, and the rewards given for them. */
export interface Sheet {
  /** By version of the card, the first at 1. */
  readonly units: number[];
  rewards: number;
  changed: boolean;
}

/** A customer in a transaction's working set, with the sheets that it has. */
export class Customer {
  readonly acct: number;
  readonly sheets = new Map<string, Sheet>();

  constructor(acct: number) {
    this.acct = acct;
  }

  sheet(cardId: string): Sheet {
    let sheet = this.sheets.get(cardId);
    if (sheet === undefined) this.sheets.set(cardId, (sheet = { units: [], rewards: 0, changed: false }));
    return sheet;
  }

  /** More units (or fewer, after a refund) of those that were bought under a version. */
  addUnits(cardId: string, version: number, units: number): void {
    const sheet = this.sheet(cardId);
    while (sheet.units.length < version) sheet.units.push(0);
    sheet.units[version - 1] = sheet.units[version - 1]! + units;
    sheet.changed = true;
  }

  /** Units of all versions. */
  unitsOf(cardId: string): number {
    return this.sheets.get(cardId)?.units.reduce((sum, units) => sum + units, 0) ?? 0;
  }
}

export function customerKey(merchant: number, customerId: string): string {
  return `${merchant}/${customerId}`;
}

interface CustomerRow {
  readonly acct: bigint;
  readonly merchant: number;
  readonly customer_id: string;
  readonly card_id: string | null;
  readonly units: string | null;
  readonly rewards: bigint | null;
}

const KEY = { merchant: "int4", customer_id: "text" } as const;
const NEW = { ...KEY, part: "int4" } as const;

/** Customers with their sheets, by key, by one statement; those to be created by one more, in key order, so that two owners never wait in a circle. */
export async function loadCustomers(tx: Tx | Sql, wanted: ReadonlyMap<string, Wanted>): Promise<Map<string, Customer>> {
  const customers = new Map<string, Customer>();
  if (wanted.size === 0) return customers;
  const set = fromSet(
    KEY,
    [...wanted.values()].map(({ merchant, customerId }) => ({ merchant, customer_id: customerId })),
  );
  const rows: readonly CustomerRow[] = await tx.unsafe(
    `SELECT a.acct, a.merchant, a.customer_id, s.card_id, s.units, s.rewards
     FROM ${set.text} AS k JOIN stamps.account a USING (merchant, customer_id) LEFT JOIN stamps.sheet s ON s.acct = a.acct`,
    set.params,
    { prepare: true },
  );
  take(customers, rows);
  take(
    customers,
    await create(
      tx,
      [...wanted].filter(([key, { create }]) => create && !customers.has(key)).map(([, one]) => one),
    ),
  );
  return customers;
}

function take(customers: Map<string, Customer>, rows: readonly CustomerRow[]): void {
  for (const { acct, merchant, customer_id, card_id, units, rewards } of rows) {
    const key = customerKey(merchant, customer_id);
    let customer = customers.get(key);
    if (customer === undefined) customers.set(key, (customer = new Customer(Number(acct))));
    if (card_id !== null)
      customer.sheets.set(card_id, { units: parseInt8Array(units ?? "{}"), rewards: Number(rewards ?? 0), changed: false });
  }
}

async function create(tx: Tx | Sql, customers: readonly Wanted[]): Promise<readonly CustomerRow[]> {
  if (customers.length === 0) return [];
  const rows = customers
    .map(({ merchant, customerId, partition }) => ({ merchant, customer_id: customerId, part: partition }))
    .sort((a, b) => a.merchant - b.merchant || (a.customer_id < b.customer_id ? -1 : 1));
  const set = fromSet(NEW, rows);
  // The update gives back a row that another partition made at the same moment.
  return tx.unsafe(
    `INSERT INTO stamps.account AS a (merchant, customer_id, part) SELECT merchant, customer_id, part FROM ${set.text} AS k
     ON CONFLICT (merchant, customer_id) DO UPDATE SET part = a.part
     RETURNING a.acct, a.merchant, a.customer_id, NULL AS card_id, NULL AS units, NULL AS rewards`,
    set.params,
    { prepare: true },
  );
}

const SHEET = { acct: "int8", card_id: "text", units: "int8[]", rewards: "int8" } as const;

/** Writes the sheets that changed, by one statement. */
export async function saveSheets(tx: Tx, customers: Iterable<Customer>): Promise<void> {
  const rows = [...customers]
    .flatMap(({ acct, sheets }) => [...sheets].map(([card_id, sheet]) => ({ acct, card_id, ...sheet })))
    .filter(({ changed }) => changed)
    .map(({ acct, card_id, units, rewards }) => ({ acct, card_id, units, rewards }));
  await insertSet(
    tx,
    "stamps.sheet",
    SHEET,
    rows,
    "ON CONFLICT (acct, card_id) DO UPDATE SET units = excluded.units, rewards = excluded.rewards",
  );
}
