import { topics } from "@perkstream/contracts";
import { createKafka } from "@perkstream/program";
import type { Sql } from "@perkstream/postgres";

export interface LogEnds {
  /** Records in all partitions. */
  of(topic: string): Promise<number>;
  close(): Promise<void>;
}

export async function openLogEnds(kafkaBrokers: string): Promise<LogEnds> {
  const admin = createKafka({ brokers: kafkaBrokers.split(","), clientId: "operations-test" }).admin();
  await admin.connect();
  return {
    of: async (topic) => (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0),
    close: () => admin.disconnect(),
  };
}

/** Whether everything that is in the log has been handled, published and stored. */
export async function isSettled(sql: Sql, ends: LogEnds): Promise<boolean> {
  const orders = await ends.of(topics.orders);
  const [row] = await sql<{ handled: boolean; published: boolean }[]>`
    SELECT (SELECT sum(next_off) FROM tier.progress) = ${orders} AND (SELECT sum(next_off) FROM cashback.progress) = ${orders} AS handled,
      (SELECT sum(out_seq) = sum(published) FROM tier.progress) AND (SELECT sum(out_seq) = sum(published) FROM cashback.progress) AS published`;
  if (!row!.handled || !row!.published) return false;
  const notes = await ends.of(topics.notifications);
  const [inbox] = await sql<{ stored: boolean }[]>`SELECT sum(next_off) = ${notes} AS stored FROM inbox.progress`;
  return inbox!.stored;
}

/** Orders that both programs have handled so far: the sum of their next offsets. */
export async function ordersHandled(sql: Sql): Promise<number> {
  const [row] = await sql<
    { n: number }[]
  >`SELECT sum(next_off)::int AS n FROM (SELECT next_off FROM tier.progress UNION ALL SELECT next_off FROM cashback.progress)`;
  return row!.n;
}

/** Ids of the notifications of each customer, in their order. */
export async function inboxIds(sql: Sql): Promise<Map<string, string[]>> {
  const rows = await sql<{ customer: string; id: string }[]>`
    SELECT customer_id AS customer, id FROM inbox.notification JOIN inbox.account USING (acct) ORDER BY customer_id, off`;
  return new Map([...Map.groupBy(rows, ({ customer }) => customer)].map(([customer, notes]) => [customer, notes.map(({ id }) => id)]));
}

/** How often each order was counted, by program; one that is missing is not there. */
export async function orderCounts(sql: Sql): Promise<{ tier: string[]; cashback: string[] }> {
  const tier = await sql<{ id: string }[]>`SELECT order_id AS id FROM tier."order" ORDER BY order_id`;
  const cashback = await sql<{ id: string }[]>`SELECT order_id AS id FROM cashback."order" ORDER BY order_id`;
  return { tier: tier.map(({ id }) => id), cashback: cashback.map(({ id }) => id) };
}
