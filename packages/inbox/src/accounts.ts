import { fromSet, insertSet, type Tx } from "@perkstream/postgres";
import { customerKey, type Customer } from "./customer.ts";

export interface Newcomer extends Customer {
  readonly part: number;
}

/** Customers remembered by key, oldest out first. */
const maxCached = 200_000;

/** `merchantId:customerId` → account. Filled only after a commit: a rolled-back transaction's ids never existed. */
export class AccountCache {
  readonly #ids = new Map<string, number>();

  get(key: string): number | undefined {
    return this.#ids.get(key);
  }

  learn(ids: ReadonlyMap<string, number>): void {
    for (const [key, acct] of ids) this.#ids.set(key, acct);
    for (const key of this.#ids.keys()) {
      if (this.#ids.size <= maxCached) break;
      this.#ids.delete(key);
    }
  }

  clear(): void {
    this.#ids.clear();
  }
}

/** The accounts of these customers by key; those that are missing are inserted, in key order. */
export async function ensureAccounts(tx: Tx, wanted: ReadonlyMap<string, Newcomer>): Promise<Map<string, number>> {
  const found = await readAccounts(tx, [...wanted.values()]);
  const missing = [...wanted].filter(([key]) => !found.has(key)).sort(([a], [b]) => (a < b ? -1 : 1));
  if (missing.length === 0) return found;
  const rows = missing.map(([, one]) => ({ merchant: one.merchant, customer_id: one.customerId, part: one.part }));
  // An acknowledgement may insert the same account at the same moment: then it is read again below.
  await insertSet(tx, "inbox.account", { merchant: "uuid", customer_id: "text", part: "int4" }, rows, "ON CONFLICT DO NOTHING");
  for (const [key, acct] of await readAccounts(
    tx,
    missing.map(([, one]) => one),
  ))
    found.set(key, acct);
  return found;
}

async function readAccounts(tx: Tx, wanted: readonly Customer[]): Promise<Map<string, number>> {
  const set = fromSet(
    { merchant: "uuid", customer_id: "text" },
    wanted.map((one) => ({ merchant: one.merchant, customer_id: one.customerId })),
  );
  const rows = await tx.unsafe<{ acct: bigint; merchant: string; customer_id: string }[]>(
    `SELECT a.acct, a.merchant, a.customer_id FROM ${set.text} AS r JOIN inbox.account a USING (merchant, customer_id)`,
    set.params,
    { prepare: true },
  );
  return new Map(rows.map((row) => [customerKey({ merchant: row.merchant, customerId: row.customer_id }), Number(row.acct)]));
}
