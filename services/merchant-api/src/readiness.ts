import { setTimeout as sleep } from "node:timers/promises";
import { topics } from "@perkstream/contracts";
import type { Sql } from "@perkstream/postgres";
import type { OrderLog } from "./kafka/order-log.ts";

const CHECK_TIMEOUT_MS = 2_000;

/** Asks the database and Kafka at every call. The registry is only needed at start and for schemas never seen before. */
export function readiness(sql: Sql, orderLog: OrderLog): () => Promise<string | null> {
  return async () => {
    const checks = [check("the database", sql`SELECT 1`), check("Kafka", orderLog.ends(topics.orders))];
    return (await Promise.all(checks)).find((reason) => reason !== null) ?? null;
  };
}

async function check(what: string, answer: PromiseLike<unknown>): Promise<string | null> {
  const asked = Promise.resolve(answer).then(
    () => null,
    () => `${what} does not answer`,
  );
  return Promise.race([asked, sleep(CHECK_TIMEOUT_MS, `${what} does not answer in time`, { ref: false })]);
}
