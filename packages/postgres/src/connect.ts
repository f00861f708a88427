import postgres from "postgres";
import type { BinaryParameter } from "./binary.ts";
import type { ServiceRole } from "./rights.ts";

/** A pool. `int8` is read as bigint, `date` as text, `timestamptz` as Date; arrays are not parsed (see sets.ts). */
export type Sql = postgres.Sql<{ bigint: bigint; binary: BinaryParameter }>;
/** A transaction's connection. */
export type Tx = postgres.TransactionSql<{ bigint: bigint; binary: BinaryParameter }>;

export interface SqlOptions {
  /** Connections at most. */
  readonly max: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Its rights are those of the statements, whatever else the login may do; the login is a member of it. */
  readonly role?: ServiceRole;
  /** How long a statement may wait for a lock. Default 3 s. */
  readonly lockTimeoutMs?: number;
  /** How long a transaction may take in all; 0: without end. Default 30 s. */
  readonly transactionTimeoutMs?: number;
  /**
   * A statement without an answer for so long has lost its server: it fails and its connection is closed. Default: 10 s more
   * than a transaction may take, by when a server that is there has ended it itself.
   */
  readonly answerTimeoutMs?: number;
  /**
   * For the pool of a program's host, whose statements all look rows up by key for a set of some thousand keys: plans are
   * made once, and always by index. A plan made while tables are small would read them whole for ever; planning anew for
   * each chunk costs some µs per order, and goes over to whole tables whenever statistics say so.
   */
  readonly byIndex?: boolean;
  /** Called for each NOTICE of the server. */
  readonly onNotice?: (message: string) => void;
  /** Called with each statement before it is sent; for tests, since postgres.js is slower then. */
  readonly onStatement?: ((text: string) => void) | undefined;
}

const OID_INT8 = 20;
const OID_DATE = 1082;

// A plan that was cached while a table was empty goes on reading it whole when it has grown (until the next ANALYZE).
const PLANNED_ANEW = { plan_cache_mode: "force_custom_plan" } as const;
const BY_INDEX = {
  plan_cache_mode: "force_generic_plan",
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  jit: "off",
} as const;

/**
 * Opens a pool. A frozen or dead peer must not hold a lock for long (docs/protocols.md, "Frozen owners"):
 * the server ends an idle transaction after 5 s and any transaction after 30 s, and keepalives find a dead client. The other
 * way round, a server that went away without a word must not hold whoever waits for its answer.
 */
export function openSql(url: string, options: SqlOptions): Sql {
  const { onStatement, transactionTimeoutMs = 30_000 } = options;
  const { answerTimeoutMs = transactionTimeoutMs === 0 ? null : transactionTimeoutMs + 10_000 } = options;
  return postgres(url, {
    max: options.max,
    fetch_types: false, // array parameters are literals, see sets.ts
    keep_alive: 5,
    answer_timeout: answerTimeoutMs === null ? null : answerTimeoutMs / 1_000,
    connect_timeout: 10,
    idle_timeout: 0,
    max_lifetime: null,
    backoff: (attempt: number) => Math.min(0.1 * 2 ** attempt, 1) * (0.75 + Math.random() / 2),
    ...(onStatement === undefined ? {} : { debug: (_connection: number, text: string) => onStatement(text) }),
    onnotice: (notice) => options.onNotice?.(String(notice["message"])),
    types: {
      bigint: { to: OID_INT8, from: [OID_INT8], serialize: (value: bigint) => value.toString(), parse: (text: string) => BigInt(text) },
      // Sent as it is (patches/postgres@3.4.9.patch); the entry only tells TypeScript of it.
      binary: { to: -1, from: [], serialize: (value: BinaryParameter) => value, parse: (value: BinaryParameter) => value },
      date: { to: OID_DATE, from: [OID_DATE], serialize: (value: string) => value, parse: (text: string) => text },
    },
    connection: {
      application_name: options.applicationName,
      ...(options.role === undefined ? {} : { role: options.role }),
      lock_timeout: options.lockTimeoutMs ?? 3_000,
      idle_in_transaction_session_timeout: 5_000,
      transaction_timeout: transactionTimeoutMs,
      tcp_keepalives_idle: 5,
      tcp_keepalives_interval: 2,
      tcp_keepalives_count: 3,
      TimeZone: "UTC",
      client_min_messages: "warning",
      ...(options.byIndex === true ? BY_INDEX : PLANNED_ANEW),
    },
  });
}
