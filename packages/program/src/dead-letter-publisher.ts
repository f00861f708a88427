import type { Sql } from "@perkstream/postgres";
import type { IHeaders, Kafka, Message } from "kafkajs";
import type { CrashPoint } from "./crash.ts";
import { headersOf, type RecordColumns } from "./dead-letters.ts";
import { backoffMs } from "./errors.ts";
import type { KafkaLog } from "./kafkajs.ts";
import { LazyProducer } from "./lazy-producer.ts";
import { Waker } from "./waker.ts";

/** Of one send: they may become one batch, which has to stay below the broker's message.max.bytes. */
const ROWS_PER_SEND = 200;
const BYTES_PER_SEND = 512 * 1024;
/** What one record may have beside the headers that are added; of a larger one only the key is sent, if it is no longer than that. */
const MAX_RECORD_BYTES = 900 * 1024;
const MAX_KEY_BYTES = 16 * 1024;
/** What a header takes beside its name and value, at most: the lengths of both. */
const HEADER_LENGTHS_BYTES = 10;
/** How often dead letters that others have made are looked for, ms. */
const POLL_MS = 5_000;
const MAX_BACKOFF_MS = 30_000;

/** Where a program's dead letters are published: each once it is stored, again with the same `dead-letter-id` after a crash. */
export function deadLetterTopic(program: string): string {
  return `${program}.dead-letters.v1`;
}

export interface DeadLetterPublisherOptions {
  readonly kafka: Kafka;
  readonly sql: Sql;
  readonly program: { readonly name: string; readonly topic: string };
  readonly topic: string;
  readonly log: KafkaLog;
  /** Those of this process. */
  readonly partitions: () => readonly number[];
  readonly crash?: CrashPoint | undefined;
}

interface Row extends RecordColumns {
  readonly id: string;
  readonly reason: string;
  readonly message: string;
  readonly created_at: Date;
}

/**
 * Publishes the dead letters of a process's partitions that are not on their topic yet, in the order of their coordinates.
 * The rows are their own outbox, apart from that of the notifications, so that a chunk without dead letters does nothing for them.
 * It connects only when there is something to publish, and goes on for ever while the broker, or the topic, is not there.
 */
export class DeadLetterPublisher {
  readonly #options: DeadLetterPublisherOptions;
  readonly #producer: LazyProducer;
  #loop: Promise<void> | undefined;
  #stopped = false;
  readonly #waker = new Waker();

  constructor(options: DeadLetterPublisherOptions) {
    this.#options = options;
    this.#producer = new LazyProducer(options.kafka);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** There are new ones, or other partitions. */
  wake(): void {
    this.#waker.wake();
  }

  /** Ends after the send under way; the rest is published after the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#loop;
    await this.#producer.close();
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stopped;) {
      try {
        const rows = await this.#unpublished();
        if (rows.length > 0) await this.#publish(rows);
        failures = 0;
        if (rows.length === 0) await this.#waker.wait(POLL_MS);
      } catch (error) {
        const { log, program, topic } = this.#options;
        log.warn({ err: error, program: program.name, topic }, "dead letters not published, trying again");
        await this.#producer.close();
        await this.#waker.wait(backoffMs(failures++, 200, MAX_BACKOFF_MS));
      }
    }
  }

  async #unpublished(): Promise<Row[]> {
    const { sql, program, partitions } = this.#options;
    const numbers = partitions();
    if (numbers.length === 0) return [];
    return sql.unsafe<Row[]>(
      `SELECT id, part, off, record_at, key, value, headers, reason, message, created_at FROM (
         SELECT *, row_number() OVER w AS n,
           sum(coalesce(octet_length(key), 0) + coalesce(octet_length(value), 0) + octet_length(headers::text) + octet_length(message)) OVER w AS bytes
         FROM ${program.name}.dead_letter WHERE published_at IS NULL AND topic = $1 AND part = ANY($2::int4[])
         WINDOW w AS (ORDER BY part, off, created_at, id) ORDER BY n LIMIT ${ROWS_PER_SEND}) AS d
       WHERE n = 1 OR bytes <= ${BYTES_PER_SEND} ORDER BY n`,
      [program.topic, `{${numbers.join(",")}}`],
      { prepare: true },
    );
  }

  async #publish(rows: readonly Row[]): Promise<void> {
    const { sql, program, topic, crash } = this.#options;
    await this.#producer.send({ topic, messages: rows.map((row) => messageOf(program, row)) });
    crash?.("dead-letters");
    const ids = `{${rows.map(({ id }) => id).join(",")}}`;
    await sql.unsafe(`UPDATE ${program.name}.dead_letter SET published_at = now() WHERE id = ANY($1::uuid[])`, [ids], { prepare: true });
  }
}

/** The record as it was read, with why it was not applied and where it lies in headers of their own. */
function messageOf(program: { readonly name: string; readonly topic: string }, row: Row): Message {
  const why: IHeaders = {
    "dead-letter-id": row.id,
    "dead-letter-program": program.name,
    "dead-letter-reason": row.reason,
    "dead-letter-message": row.message,
    "dead-letter-topic": program.topic,
    "dead-letter-partition": String(row.part),
    "dead-letter-offset": String(row.off),
    "dead-letter-timestamp": String(row.record_at.getTime()),
  };
  const timestamp = String(row.created_at.getTime());
  const own = Object.entries(row.headers);
  const ofHeaders = own.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + value.length + HEADER_LENGTHS_BYTES, 0);
  const bytes = (row.key?.length ?? 0) + (row.value?.length ?? 0) + ofHeaders;
  if (bytes <= MAX_RECORD_BYTES) {
    return { key: row.key, value: row.value, headers: { ...headersOf(row), ...why }, timestamp };
  }
  const key = row.key !== null && row.key.length <= MAX_KEY_BYTES ? row.key : null;
  return {
    key,
    value: null,
    headers: { ...why, "dead-letter-left-out": `${bytes} bytes, which are stored in ${program.name}.dead_letter` },
    timestamp,
  };
}
