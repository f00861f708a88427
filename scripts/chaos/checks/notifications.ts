import { randomUUID } from "node:crypto";
import { topics } from "@perkstream/contracts";
import type { Sql } from "@perkstream/postgres";
import { createKafka, readProgress } from "@perkstream/program";
import { orderPrograms } from "../../start/services.ts";
import { endsOf } from "../settle.ts";

const readLimitMs = 60_000;

/** A record of notifications.v1, by the header that its program gave it. */
export interface Published {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  /** `<program>/<partition>` of the outbox, with its sequence there. */
  readonly source: string;
  readonly epoch: string;
  readonly seq: number;
  readonly id: string;
}

/** All of notifications.v1. Rejects when it cannot be read in time. */
export async function readPublished(brokers: string): Promise<Published[]> {
  const ends = new Map([...(await endsOf(brokers, topics.notifications))].filter(([, end]) => end > 0));
  const found: Published[] = [];
  if (ends.size === 0) return found;
  const consumer = createKafka({ brokers: brokers.split(","), clientId: "perkstream-chaos" }).consumer({
    groupId: `chaos-${randomUUID()}`,
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic: topics.notifications, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${topics.notifications} was not read in ${readLimitMs} ms`)), readLimitMs);
      const eachBatch = async ({
        batch,
      }: {
        batch: { partition: number; messages: { offset: string; key: Buffer | null; headers?: object }[]; lastOffset(): string };
      }) => {
        for (const message of batch.messages) found.push(publishedOf(batch.partition, message));
        if (Number(batch.lastOffset()) + 1 >= (ends.get(batch.partition) ?? 0)) ends.delete(batch.partition);
        if (ends.size > 0) return;
        clearTimeout(timer);
        resolve();
      };
      consumer.run({ eachBatch }).catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return found.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

function publishedOf(partition: number, message: { offset: string; key: Buffer | null; headers?: object }): Published {
  const header = message.headers !== undefined && "source" in message.headers ? String(message.headers.source) : "";
  const [program = "", part = "", epoch = "", seq = "", id = ""] = header.split("/");
  return { partition, offset: Number(message.offset), key: String(message.key), source: `${program}/${part}`, epoch, seq: Number(seq), id };
}

/**
 * What each program wrote into its outbox (its numbers are gapless) is in the topic, each number with one id and one epoch and
 * first met in its order, and nothing else is: a record without a row would be one of a transaction that never was.
 */
export async function checkPublished(sql: Sql, published: readonly Published[]): Promise<string[]> {
  const violations: string[] = [];
  const bySource = Map.groupBy(published, ({ source }) => source);
  for (const program of orderPrograms) {
    for (const { partition, outSeq } of await readProgress(sql, { program, topic: topics.orders })) {
      const source = `${program}/${partition}`;
      violations.push(...checkSource(source, outSeq, bySource.get(source) ?? []));
      bySource.delete(source);
    }
  }
  for (const [source, records] of bySource) violations.push(`${records.length} notifications of ${source}, which is no outbox`);
  return violations;
}

function checkSource(source: string, outSeq: number, records: readonly Published[]): string[] {
  const violations: string[] = [];
  const known = new Map<number, Published>();
  let newest = 0;
  for (const record of records) {
    const { seq, id, epoch, offset } = record;
    const before = known.get(seq);
    if (before === undefined) {
      known.set(seq, record);
      if (seq > outSeq) violations.push(`notification ${seq} of ${source} at ${offset} was published and never committed`);
      if (seq < newest) violations.push(`notification ${seq} of ${source} at ${offset} was published after ${newest}`);
      newest = Math.max(newest, seq);
    } else if (before.id !== id || before.epoch !== epoch)
      violations.push(
        `notification ${seq} of ${source} is ${before.id} of epoch ${before.epoch} at ${before.offset} and ${id} of epoch ${epoch} at ${offset}`,
      );
  }
  for (let seq = 1; seq <= outSeq; seq++) if (!known.has(seq)) violations.push(`notification ${seq} of ${source} was never published`);
  return violations;
}

/** A row of the inbox, with its customer's key. */
export interface Stored {
  readonly key: string;
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
}

/** The inbox, customer by customer in the order of cursors. */
export async function readInbox(sql: Sql): Promise<Map<string, Stored[]>> {
  const rows = await sql<{ key: string; part: number; off: bigint; id: string }[]>`
    SELECT a.merchant::text || ':' || a.customer_id AS key, n.part, n.off, n.id::text AS id
    FROM inbox.notification n JOIN inbox.account a USING (acct) ORDER BY n.acct, n.part, n.off`;
  return Map.groupBy(
    rows.map(({ key, part, off, id }) => ({ key, partition: part, offset: Number(off), id })),
    ({ key }) => key,
  );
}

/** Every notification that was published is in its customer's inbox once, where it was first met, and nothing else is. */
export function checkInbox(published: readonly Published[], inbox: ReadonlyMap<string, readonly Stored[]>): string[] {
  const violations: string[] = [];
  const stored = Map.groupBy([...inbox.values()].flat(), ({ id }) => id);
  const first = new Map<string, Published>();
  for (const record of published) if (!first.has(record.id)) first.set(record.id, record);
  for (const [id, { key, partition, offset }] of first) {
    const rows = stored.get(id) ?? [];
    stored.delete(id);
    if (rows.length !== 1) violations.push(`notification ${id} of ${key} is ${rows.length} times in the inbox`);
    else if (rows[0]!.key !== key) violations.push(`notification ${id} of ${key} is in the inbox of ${rows[0]!.key}`);
    else if (rows[0]!.partition !== partition || rows[0]!.offset !== offset)
      violations.push(`notification ${id} of ${key} is in the inbox from ${rows[0]!.offset}, it was first published at ${offset}`);
  }
  for (const id of stored.keys()) violations.push(`notification ${id} is in the inbox and was never published`);
  return violations;
}
