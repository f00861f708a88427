import { fromSet, type Sql, type Tx } from "@perkstream/postgres";
import { type AccountIds, customerKey } from "./accounts.ts";

/** A customer as of an offset of its partition. */
interface Question {
  readonly merchant: number;
  readonly customerId: string;
  readonly partition: number;
  readonly offset: number;
}

interface Held {
  readonly acct: number;
  readonly level: string | null;
  readonly levelOff: number;
}

/** Level ids by the index of the question: one look at each customer, and at the history only where the level changed since the offset. */
export async function readLevels(tx: Sql | Tx, ids: AccountIds, questions: readonly Question[]): Promise<readonly (string | null)[]> {
  const customers = new Map<string, Question>();
  const keys = questions.map((question) => {
    const key = customerKey(question.merchant, question.customerId);
    customers.set(key, question);
    return key;
  });
  const held = await readHeld(tx, ids, customers);
  const earlier: { i: number; acct: number; part: number; off: number }[] = [];
  const levels = questions.map(({ partition, offset }, i): string | null => {
    const now = held.get(keys[i]!);
    if (now === undefined) return null;
    if (now.levelOff > offset) earlier.push({ i, acct: now.acct, part: partition, off: offset });
    return now.level;
  });
  for (const { i, level } of await readEarlier(tx, earlier)) levels[i] = level;
  return levels;
}

async function readHeld(tx: Sql | Tx, ids: AccountIds, customers: ReadonlyMap<string, Question>): Promise<Map<string, Held>> {
  const held = new Map<string, Held>();
  const known: CustomerRow[] = [];
  let unknown: CustomerRow[] = [];
  for (const [key, { merchant, customerId }] of customers) {
    const acct = ids.get(key);
    if (acct === undefined) unknown.push({ acct: 0, merchant, customer_id: customerId });
    else known.push({ acct, merchant, customer_id: customerId });
  }
  const take = (rows: readonly HeldRow[]) => {
    for (const { acct, merchant, customer_id, level, level_off } of rows) {
      const key = customerKey(merchant, customer_id);
      held.set(key, { acct: Number(acct), level, levelOff: Number(level_off) });
      ids.set(key, Number(acct));
    }
  };
  take(await readRows(tx, known, "a.acct = q.acct AND a.merchant = q.merchant AND a.customer_id = q.customer_id"));
  // An id that a restored database gave to somebody else finds nothing, and is looked up anew.
  if (held.size < known.length) unknown = [...unknown, ...known.filter((row) => !held.has(customerKey(row.merchant, row.customer_id)))];
  take(await readRows(tx, unknown, "a.merchant = q.merchant AND a.customer_id = q.customer_id"));
  return held;
}

type CustomerRow = { acct: number; merchant: number; customer_id: string };

interface HeldRow {
  readonly acct: bigint;
  readonly merchant: number;
  readonly customer_id: string;
  readonly level: string | null;
  readonly level_off: bigint;
}

async function readRows(tx: Sql | Tx, rows: CustomerRow[], on: string): Promise<readonly HeldRow[]> {
  if (rows.length === 0) return [];
  const set = fromSet({ acct: "int8", merchant: "int4", customer_id: "text" } as const, rows);
  return tx.unsafe(
    `SELECT a.acct, a.merchant, a.customer_id, a.level, a.level_off FROM ${set.text} AS q JOIN tier.account a ON ${on}`,
    set.params,
    { prepare: true },
  );
}

async function readEarlier(
  tx: Sql | Tx,
  rows: { i: number; acct: number; part: number; off: number }[],
): Promise<readonly { i: number; level: string | null }[]> {
  if (rows.length === 0) return [];
  const set = fromSet({ i: "int4", acct: "int8", part: "int4", off: "int8" } as const, rows);
  return tx.unsafe(
    `SELECT q.i, (SELECT h.to_level FROM tier.history h WHERE h.acct = q.acct AND h.part = q.part AND h.off <= q.off
       ORDER BY h.seq DESC LIMIT 1) AS level FROM ${set.text} AS q`,
    set.params,
    { prepare: true },
  );
}
