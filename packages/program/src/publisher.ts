import type { Kafka } from "kafkajs";
import type { CrashPoint } from "./crash.ts";
import { backoffMs } from "./errors.ts";
import type { KafkaLog } from "./kafkajs.ts";
import { LazyProducer } from "./lazy-producer.ts";
import type { OutboxRow } from "./progress.ts";
import { SOURCE_HEADER, sourceHeader } from "./source-header.ts";

/** Rows of one send: enough to fill a batch, small enough for the broker's message.max.bytes per partition. */
const ROWS_PER_SEND = 2_000;
const BYTES_PER_SEND = 512 * 1024;

export interface PublisherOptions {
  readonly kafka: Kafka;
  readonly program: string;
  readonly topic: string;
  readonly log: KafkaLog;
  /** Rows queued at most before `room()` waits. */
  readonly maxQueued: number;
  readonly onAcknowledged: (partition: number, seq: number) => void;
  readonly onError?: () => void;
  readonly crash?: CrashPoint;
}

/**
 * Publishes outbox rows of a lane in the order of their sequence, one send at a time, to the partition they come from.
 *
 * After a send that failed for good its producer is closed and a new one made, and everything from the first
 * unacknowledged row is sent again in order: kafkajs rolls its sequence back after a failure and would give the same
 * numbers to another batch, which the broker would take for a repeat and drop.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #producer: LazyProducer;
  #queue: OutboxRow[] = [];
  #sending: Promise<void> | undefined;
  /** Since when rows wait and none was acknowledged. */
  #waitingSince = 0;
  #stopped = false;
  #released = false;
  #waiters: (() => void)[] = [];
  /** Raised when a partition is taken over anew: acknowledgements of earlier sends then say nothing about its rows. */
  readonly #generations = new Map<number, number>();

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#producer = new LazyProducer(options.kafka, { idempotent: true, maxInFlightRequests: 1 });
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** How long rows have waited and none was acknowledged, ms; 0 when none waits. */
  get stalledMs(): number {
    return this.#queue.length === 0 ? 0 : performance.now() - this.#waitingSince;
  }

  /** Adds rows behind those that wait. */
  enqueue(rows: readonly OutboxRow[]): void {
    if (this.#queue.length === 0) this.#waitingSince = performance.now();
    for (const row of rows) this.#queue.push(row);
    this.#start();
  }

  /** Forgets rows of partitions that are taken over anew: what is in the outbox is read again. */
  forget(partitions: ReadonlySet<number>): void {
    this.#queue = this.#queue.filter((row) => !partitions.has(row.partition));
    for (const partition of partitions) this.#generations.set(partition, this.#generation(partition) + 1);
    this.#wake();
  }

  /** Resolves when fewer than `maxQueued` rows wait. */
  async room(): Promise<void> {
    while (this.#queue.length >= this.#options.maxQueued && !this.#released) await this.#changed();
  }

  /** Before a stop: a transaction that waits for room goes on; what it emits stays in the outbox if need be. */
  release(): void {
    this.#released = true;
    this.#wake();
  }

  /** Resolves when nothing waits any more, or the deadline has passed. */
  async drain(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    while (this.#queue.length > 0 && performance.now() < until) {
      await Promise.race([this.#changed(), new Promise((resolve) => setTimeout(resolve, 50))]);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.release();
    await this.#producer.close();
    await this.#sending;
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  #start(): void {
    if (this.#sending !== undefined || this.#stopped) return;
    this.#sending = this.#run().finally(() => {
      this.#sending = undefined;
      if (this.#queue.length > 0) this.#start();
    });
  }

  async #run(): Promise<void> {
    for (let failures = 0; this.#queue.length > 0 && !this.#stopped;) {
      const rows = this.#nextRows();
      const generations = new Map(rows.map((row) => [row.partition, this.#generation(row.partition)]));
      try {
        await this.#send(rows);
        this.#options.crash?.("publish");
        failures = 0;
        this.#acknowledge(rows, generations);
      } catch (error) {
        if (this.#stopped) return;
        this.#options.onError?.();
        this.#options.log.warn(
          { err: error, program: this.#options.program, rows: rows.length },
          "publishing failed, trying again with a new producer",
        );
        await this.#producer.close();
        await new Promise((resolve) => setTimeout(resolve, backoffMs(failures++)));
      }
    }
  }

  #nextRows(): OutboxRow[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length && count < ROWS_PER_SEND && bytes < BYTES_PER_SEND)
      bytes += this.#queue[count++]!.notice.value.length + 200;
    return this.#queue.slice(0, count);
  }

  async #send(rows: readonly OutboxRow[]): Promise<void> {
    await this.#producer.send({
      topic: this.#options.topic,
      messages: rows.map((row) => ({
        partition: row.partition,
        key: row.notice.key,
        value: row.notice.value,
        headers: { [SOURCE_HEADER]: sourceHeader(this.#options.program, row) },
      })),
    });
  }

  #acknowledge(rows: readonly OutboxRow[], generations: ReadonlyMap<number, number>): void {
    const sent = new Set(rows);
    let from = 0;
    while (from < this.#queue.length && sent.has(this.#queue[from]!)) from += 1;
    this.#queue = this.#queue.slice(from);
    this.#waitingSince = performance.now();
    for (const { partition, seq } of rows) {
      if (generations.get(partition) === this.#generation(partition)) this.#options.onAcknowledged(partition, seq);
    }
    this.#wake();
  }

  #generation(partition: number): number {
    return this.#generations.get(partition) ?? 0;
  }
}
