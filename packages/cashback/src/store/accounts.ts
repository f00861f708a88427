import { MerchantMap } from "@perkstream/orders";
import { fromSet, parseInt8Array, updateSet, type Tx } from "@perkstream/postgres";
import { type Customer, newCustomer } from "../domain/index.ts";

/** A customer's row and what of the cashback was loaded with it. */
export interface AccountState {
  readonly customer: Customer;
  readonly merchant: number;
  readonly part: number;
  known: boolean;
  campaigns: readonly number[];
  dirty: boolean;
}

export interface AccountKey {
  readonly merchant: number;
  readonly customerId: string;
  readonly part: number;
}

interface AccountRow {
  readonly acct: bigint;
  readonly merchant: number;
  readonly customer_id: string;
  readonly part: number;
  readonly known: boolean;
  readonly pending: bigint;
  readonly available: bigint;
  readonly reserved: bigint;
  readonly debt: bigint;
  readonly last_as_of: Date | null;
  readonly due_at: Date | null;
  readonly unannounced_at: Date | null;
  readonly campaigns: string;
}

const COLUMNS =
  "acct, merchant, customer_id, part, known, pending, available, reserved, debt, last_as_of, due_at, unannounced_at, campaigns";
const SELECTED = COLUMNS.split(", ")
  .map((name) => `a.${name}`)
  .join(", ");
const NO_CAMPAIGNS: readonly number[] = [];

/** Surrogate ids of customers that this process met; bounded. Ids never change, so it is never wrong, only after a restore. */
export class AccountIds {
  readonly #limit: number;
  #young = new MerchantMap<number>();
  #old = new MerchantMap<number>();

  constructor(limit = 200_000) {
    this.#limit = limit;
  }

  get(merchant: number, customerId: string): number | undefined {
    const young = this.#young.get(merchant, customerId);
    if (young !== undefined) return young;
    const old = this.#old.get(merchant, customerId);
    if (old !== undefined) this.learn(merchant, customerId, old);
    return old;
  }

  learn(merchant: number, customerId: string, acct: number): void {
    if (this.#young.size >= this.#limit / 2) {
      this.#old = this.#young;
      this.#young = new MerchantMap();
    }
    this.#young.set(merchant, customerId, acct);
  }

  clear(): void {
    this.#young = new MerchantMap();
    this.#old = new MerchantMap();
  }
}

/** Reads the customers' rows and makes the missing ones, in key order. Under the progress locks of their partitions. */
export async function loadAccounts(tx: Tx, ids: AccountIds, keys: readonly AccountKey[]): Promise<AccountState[]> {
  const known: number[] = [];
  const unknown: AccountKey[] = [];
  for (const key of keys) {
    const acct = ids.get(key.merchant, key.customerId);
    if (acct === undefined) unknown.push(key);
    else known.push(acct);
  }
  const [first, second] = await Promise.all([byAcct(tx, known), byKey(tx, unknown)]);
  const found = new MerchantMap<true>();
  for (const row of second) found.set(row.merchant, row.customer_id, true);
  const missing = unknown.filter(({ merchant, customerId }) => !found.has(merchant, customerId));
  const made = missing.length > 0 ? await insert(tx, missing) : [];
  return [first, second, made].flatMap((rows) => rows.map(stateOf));
}

/** Customers by surrogate id: for sweeps. */
export async function loadAccountsById(tx: Tx, accts: readonly number[]): Promise<AccountState[]> {
  return (await byAcct(tx, accts)).map(stateOf);
}

function stateOf(row: AccountRow): AccountState {
  const customer = newCustomer(Number(row.acct), row.customer_id);
  customer.pendingMinor = row.pending;
  customer.availableMinor = row.available;
  customer.reservedMinor = row.reserved;
  customer.debtMinor = row.debt;
  customer.lastAsOf = row.last_as_of === null ? 0 : row.last_as_of.getTime();
  customer.dueAt = customer.elsewhereDueAt = instantOr(row.due_at);
  customer.unannouncedAt = customer.elsewhereUnannouncedAt = instantOr(row.unannounced_at);
  return {
    customer,
    merchant: row.merchant,
    part: row.part,
    known: row.known,
    campaigns: row.campaigns === "{}" ? NO_CAMPAIGNS : parseInt8Array(row.campaigns),
    dirty: false,
  };
}

function instantOr(value: Date | null): number {
  return value === null ? Number.POSITIVE_INFINITY : value.getTime();
}

async function byAcct(tx: Tx, accts: readonly number[]): Promise<readonly AccountRow[]> {
  if (accts.length === 0) return [];
  return tx.unsafe(`SELECT ${SELECTED} FROM cashback.account a WHERE a.acct = ANY($1::int8[])`, [`{${[...new Set(accts)].join(",")}}`], {
    prepare: true,
  });
}

async function byKey(tx: Tx, keys: readonly AccountKey[]): Promise<readonly AccountRow[]> {
  if (keys.length === 0) return [];
  const set = fromSet(
    { merchant: "int4", customer_id: "text" },
    keys.map(({ merchant, customerId }) => ({ merchant, customer_id: customerId })),
  );
  return tx.unsafe(`SELECT ${SELECTED} FROM ${set.text} AS r JOIN cashback.account a USING (merchant, customer_id)`, set.params, {
    prepare: true,
  });
}

async function insert(tx: Tx, keys: readonly AccountKey[]): Promise<readonly AccountRow[]> {
  const set = fromSet(
    { merchant: "int4", customer_id: "text", part: "int4" },
    keys.map(({ merchant, customerId, part }) => ({ merchant, customer_id: customerId, part })),
  );
  return tx.unsafe(
    `INSERT INTO cashback.account (merchant, customer_id, part) SELECT * FROM ${set.text} AS r ORDER BY merchant, customer_id RETURNING ${COLUMNS}`,
    set.params,
    { prepare: true },
  );
}

const UPDATED = {
  acct: "int8",
  known: "bool",
  pending: "int8",
  available: "int8",
  reserved: "int8",
  debt: "int8",
  last_as_of: "timestamptz",
  due_at: "timestamptz",
  unannounced_at: "timestamptz",
  campaigns: "int8[]",
} as const;

export async function saveAccounts(tx: Tx, states: Iterable<AccountState>): Promise<void> {
  const rows = [];
  for (const { customer, known, campaigns, dirty } of states) {
    if (!dirty) continue;
    rows.push({
      acct: customer.acct,
      known,
      pending: customer.pendingMinor,
      available: customer.availableMinor,
      reserved: customer.reservedMinor,
      debt: customer.debtMinor,
      last_as_of: customer.lastAsOf === 0 ? null : customer.lastAsOf,
      due_at: finite(customer.dueAt),
      unannounced_at: finite(customer.unannouncedAt),
      campaigns,
    });
  }
  await updateSet(tx, "cashback.account", ["acct"], UPDATED, rows);
}

function finite(ms: number): number | null {
  return ms === Number.POSITIVE_INFINITY ? null : ms;
}
