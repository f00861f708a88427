import { openSql, type Tx } from "@perkstream/postgres";
import { RowStream } from "./row-stream.ts";

/** The database at one moment: everything that is read of it fits together, whatever the services do meanwhile. */
export interface Snapshot {
  readonly tx: Tx;
  /** Rows of a query in steps of `fetchRows`, by a cursor of the server: the whole result is in nobody's memory. */
  open<R>(query: string, fetchRows?: number): RowStream<R>;
}

const FETCH_ROWS = 500;

/**
 * Runs `run` in one read-only repeatable-read transaction. It may take hours: the limits that protect services from a frozen peer are
 * lifted, since it takes no row lock. (As long as it runs, vacuum keeps the row versions that it may still read.)
 */
export async function withSnapshot<T>(url: string, run: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const sql = openSql(url, { max: 1, applicationName: "perkstream-verify", transactionTimeoutMs: 0 });
  try {
    const result = await sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (tx) => {
      // The results are read to their end: plans for the whole, not for the first rows.
      await tx.unsafe(
        `SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL cursor_tuple_fraction = 1; SET LOCAL work_mem = '64MB'; SET LOCAL jit = off`,
      );
      return run(snapshotOf(tx));
    });
    return result as T;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function snapshotOf(tx: Tx): Snapshot {
  let cursors = 0;
  return {
    tx,
    open<R>(query: string, fetchRows = FETCH_ROWS): RowStream<R> {
      const name = `verify_${++cursors}`;
      return new RowStream<R>({
        open: async () => void (await tx.unsafe(`DECLARE ${name} NO SCROLL CURSOR FOR ${query}`)),
        fetch: async () => (await tx.unsafe(`FETCH ${fetchRows} FROM ${name}`)) as unknown as readonly R[],
        close: async () => void (await tx.unsafe(`CLOSE ${name}`)),
      });
    },
  };
}
