import { fromSet, type Sql, type Tx } from "@perkstream/postgres";
import { DayBook } from "../domain/index.ts";

/** Which days of a customer are wanted: everything from `fromDay` on. */
export interface DaysWanted {
  readonly acct: number;
  /** -Infinity for all. */
  readonly fromDay: number;
  /** The customer's first day: from there on it is all. */
  readonly firstDay: number | null;
}

const FROM = { acct: "int8", from_day: "int4" } as const;
const MIN_INT4 = -2_147_483_648;

/** Day books by account, by one statement. */
export async function loadDays(tx: Tx | Sql, wanted: readonly DaysWanted[]): Promise<Map<number, DayBook>> {
  const books = new Map<number, DayBook>();
  if (wanted.length === 0) return books;
  for (const { acct, fromDay, firstDay } of wanted) {
    books.set(acct, new DayBook(firstDay === null || fromDay <= firstDay ? Number.NEGATIVE_INFINITY : fromDay));
  }
  const set = fromSet(
    FROM,
    wanted.map(({ acct, fromDay }) => ({ acct, from_day: Math.max(fromDay, MIN_INT4) })),
  );
  const rows: readonly { acct: bigint; day: number; net: bigint; orders: number }[] = await tx.unsafe(
    `SELECT d.acct, d.day, d.net, d.orders FROM ${set.text} AS k JOIN tier.day d ON d.acct = k.acct AND d.day >= k.from_day ORDER BY d.acct, d.day`,
    set.params,
    { prepare: true },
  );
  for (const row of rows) books.get(Number(row.acct))!.add(row.day, row.net, row.orders);
  return books;
}
