import { arrayLiteral, fromSet, type Sql, type Tx } from "@perkstream/postgres";
import { ACCOUNT_COLUMNS, type AccountRow } from "./account-row.ts";

/** A customer that a transaction is about. */
export interface Wanted {
  readonly merchant: number;
  readonly customerId: string;
  readonly partition: number;
  readonly manual: boolean;
  /** Make the row if there is none. */
  readonly create: boolean;
}

export function customerKey(merchant: number, customerId: string): string {
  return `${merchant}/${customerId}`;
}

/** Surrogate ids of customers that were seen in committed transactions; bounded, the oldest is forgotten. */
export class AccountIds {
  readonly #ids = new Map<string, number>();
  readonly #limit: number;

  constructor(limit = 250_000) {
    this.#limit = limit;
  }

  get(key: string): number | undefined {
    return this.#ids.get(key);
  }

  set(key: string, acct: number): void {
    if (this.#ids.has(key)) return;
    this.#ids.set(key, acct);
    const oldest = this.#ids.keys().next();
    if (this.#ids.size > this.#limit && oldest.done === false) this.#ids.delete(oldest.value);
  }

  clear(): void {
    this.#ids.clear();
  }
}

const KEY = { merchant: "int4", customer_id: "text" } as const;
const NEW = { merchant: "int4", customer_id: "text", part: "int4", manual: "bool" } as const;

/** The rows of customers, by key; those to be created are made in key order, so that two owners never wait in a circle. */
export async function loadAccounts(tx: Tx | Sql, wanted: ReadonlyMap<string, Wanted>, ids: AccountIds): Promise<Map<string, AccountRow>> {
  const known: number[] = [];
  const unknown: Wanted[] = [];
  for (const [key, customer] of wanted) {
    const acct = ids.get(key);
    if (acct === undefined) unknown.push(customer);
    else known.push(acct);
  }
  const rows = new Map<string, AccountRow>();
  const take = (found: readonly AccountRow[]) => {
    for (const row of found) rows.set(customerKey(row.merchant, row.customer_id), row);
  };
  await Promise.all([selectByAcct(tx, known).then(take), selectByKey(tx, unknown).then(take)]);
  const missing = [...wanted].filter(([key, customer]) => customer.create && !rows.has(key)).map(([, customer]) => customer);
  take(await create(tx, missing));
  return rows;
}

/** Rows by surrogate id, in its order. */
async function selectByAcct(tx: Tx | Sql, accts: readonly number[]): Promise<readonly AccountRow[]> {
  if (accts.length === 0) return [];
  return tx.unsafe(`SELECT ${ACCOUNT_COLUMNS} FROM tier.account a WHERE a.acct = ANY($1::int8[]) ORDER BY a.acct`, [arrayLiteral(accts)], {
    prepare: true,
  });
}

async function selectByKey(tx: Tx | Sql, customers: readonly Wanted[]): Promise<readonly AccountRow[]> {
  if (customers.length === 0) return [];
  const set = fromSet(
    KEY,
    customers.map(({ merchant, customerId }) => ({ merchant, customer_id: customerId })),
  );
  return tx.unsafe(`SELECT ${ACCOUNT_COLUMNS} FROM ${set.text} AS k JOIN tier.account a USING (merchant, customer_id)`, set.params, {
    prepare: true,
  });
}

async function create(tx: Tx | Sql, customers: readonly Wanted[]): Promise<readonly AccountRow[]> {
  if (customers.length === 0) return [];
  const rows = customers
    .map(({ merchant, customerId, partition, manual }) => ({ merchant, customer_id: customerId, part: partition, manual }))
    .sort((a, b) => a.merchant - b.merchant || (a.customer_id < b.customer_id ? -1 : 1));
  const set = fromSet(NEW, rows);
  // The update gives back a row that another partition made at the same moment.
  return tx.unsafe(
    `INSERT INTO tier.account AS a (merchant, customer_id, part, manual) SELECT merchant, customer_id, part, manual FROM ${set.text} AS k
     ON CONFLICT (merchant, customer_id) DO UPDATE SET part = a.part RETURNING ${ACCOUNT_COLUMNS}`,
    set.params,
    { prepare: true },
  );
}
