import { topics } from "@perkstream/contracts";
import type { Sql } from "@perkstream/postgres";
import { createKafka, readProgress } from "@perkstream/program";
import { waitUntil } from "@perkstream/stack";
import { orderPrograms } from "../start/services.ts";

/** Ends of the partitions of a topic, by partition. */
export async function endsOf(brokers: string, topic: string): Promise<Map<number, number>> {
  const admin = createKafka({ brokers: brokers.split(","), clientId: "perkstream-chaos" }).admin();
  await admin.connect();
  try {
    return new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]));
  } finally {
    await admin.disconnect();
  }
}

/**
 * Waits until all programs have read what is in orders.v1, everything that they wrote is in notifications.v1, and that is in the inbox.
 * @returns null when it is so, else what is behind after `timeoutMs`
 */
export async function settle(sql: Sql, brokers: string, timeoutMs: number): Promise<string | null> {
  const deadline = performance.now() + timeoutMs;
  let behind: string | null = "nothing was asked";
  const until = (ask: () => Promise<string | null>) =>
    waitUntil(async () => {
      behind = await ask().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
      return behind === null;
    }, deadline - performance.now());
  const orders = await endsOf(brokers, topics.orders);
  await until(() => behindProgress(sql, orderPrograms, topics.orders, orders));
  if (behind === null) await until(() => behindOutbox(sql));
  if (behind !== null) return behind;
  const notes = await endsOf(brokers, topics.notifications);
  await until(() => behindProgress(sql, ["inbox"], topics.notifications, notes));
  return behind;
}

async function behindProgress(
  sql: Sql,
  programs: readonly string[],
  topic: string,
  ends: ReadonlyMap<number, number>,
): Promise<string | null> {
  for (const program of programs) {
    for (const { partition, nextOffset, failedOffset } of await readProgress(sql, { program, topic })) {
      const end = ends.get(partition) ?? 0;
      const failed = failedOffset === null ? "" : ` (it failed at ${failedOffset})`;
      if (nextOffset < end) return `${program} is at ${nextOffset} of ${end} in partition ${partition} of ${topic}${failed}`;
    }
  }
  return null;
}

async function behindOutbox(sql: Sql): Promise<string | null> {
  for (const program of orderPrograms) {
    for (const { partition, published, outSeq } of await readProgress(sql, { program, topic: topics.orders })) {
      if (published < outSeq) return `${program} has published ${published} of ${outSeq} notifications of partition ${partition}`;
    }
  }
  return null;
}
