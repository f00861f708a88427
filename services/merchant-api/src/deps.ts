import type { Logger, Registry } from "@perkstream/service";
import type { CrashPoint } from "@perkstream/program";
import type { Sql } from "@perkstream/postgres";
import type { Authenticator } from "./auth/authenticate.ts";
import type { CommandsOpen } from "./command-gate.ts";
import type { OriginRule } from "./http/cors.ts";
import type { Gate } from "./http/gate.ts";
import type { RateLimiter } from "./http/rate-limit.ts";
import type { OrderLog } from "./kafka/order-log.ts";
import type { Records } from "./kafka/records.ts";

/** Everything outside of the process that the API uses, and its settings; made once in main.ts or by a test. */
export interface Deps {
  readonly mode: "development" | "production";
  readonly sql: Sql;
  /** For transactions that stay open while Kafka answers. */
  readonly waitingSql: Sql;
  /** One connection, so that edits take turns: each locks all partitions, and a lock is waited for 3 s only. */
  readonly editingSql: Sql;
  /** Milliseconds since 1970; the clock of tokens and rate limits, and of requests without `Perks-Now`. */
  readonly clock: () => number;
  readonly authenticator: Authenticator;
  readonly rateLimiter: RateLimiter;
  readonly gate: Gate;
  readonly orderLog: OrderLog;
  readonly records: Records;
  /** Partitions of orders.v1 and of notifications.v1. */
  readonly partitions: number;
  /** The partition of a customer, as producers choose it. */
  readonly partitionOf: (merchantId: string, customerId: string) => number;
  /** `ws://host:port`, for the url of customer tokens. */
  readonly notifierOrigin: string;
  readonly allowOrigin: OriginRule;
  readonly log: Logger;
  readonly metrics: Registry;
  /** False until the programs have read what was in the log at the start: commands and rule edits then answer 503. */
  readonly commandsOpen: CommandsOpen;
  /** Why the API is not ready, or null when it is. */
  readonly ready: () => Promise<string | null>;
  /** Ends the process at a step, in tests of crashes. */
  readonly crash?: CrashPoint;
  /** Tests: an answer that does not fit its declared schema is a defect. */
  readonly checkReplies?: boolean;
}
