import type { Batch, Consumer, Kafka } from "kafkajs";
import { backoffMs } from "./errors.ts";
import type { KafkaLog, RetryAsMember } from "./kafkajs.ts";

export interface ConsumerHandlers {
  /** The group has given this member its partitions (all of them, each time). */
  onAssigned(partitions: readonly number[]): void;
  /**
   * Records of one partition, which begin at `fetchedFrom`. Resolves to true when they were taken;
   * `heartbeat` must be called while it waits for room.
   */
  onBatch(batch: FetchedBatch, heartbeat: () => Promise<void>): Promise<boolean>;
  /** Records up to `lastOffset` that kafkajs has filtered away (control records, aborted, compacted). */
  onFiltered(partition: number, lastOffset: number): void;
}

export interface FetchedBatch {
  readonly partition: number;
  readonly fetchedFrom: number;
  readonly lastOffset: number;
  readonly highWatermark: number;
  readonly messages: Batch["messages"];
}

export interface ConsumerOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly fetchWaitMs: number;
  readonly stallAfterMs: number;
  /**
   * At the end of the log, how long to wait before the next fetch, ms. A fetch answers as soon as there is one record: at
   * some hundred records a second that would be hundreds of fetches and transactions a second, for a few records each.
   */
  readonly paceMs: number;
  readonly log: KafkaLog;
  /** It ended or could not be started, and another one is made. */
  readonly onReplace?: () => void;
}

/**
 * A consumer that is replaced whenever it ends, however it ends: kafkajs gives up after its retries (a crash with
 * `restart: false`), and can stall without an error. The group's committed offsets are never read: the owner seeks.
 */
export class SupervisedConsumer {
  readonly #options: ConsumerOptions;
  readonly #handlers: ConsumerHandlers;
  #consumer: Consumer | undefined;
  #stopped = false;
  #supervision: Promise<void> | undefined;
  #ended: () => void = () => {};
  /**
   * As which it was last in the group. Its successor goes on as the same: to another one a broker that is back after an outage
   * gives no partitions before the session of this one has ended.
   */
  #memberId: string | undefined;
  #lastFetchAt = 0;
  #blocked = 0;

  constructor(options: ConsumerOptions, handlers: ConsumerHandlers) {
    this.#options = options;
    this.#handlers = handlers;
  }

  start(): void {
    this.#supervision ??= this.#supervise();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ended();
    await this.#supervision;
  }

  /** The next fetch of the partition begins there. */
  seek(partition: number, offset: number): void {
    this.#ifRunning((consumer) => consumer.seek({ topic: this.#options.topic, partition, offset: String(offset) }));
  }

  // kafkajs throws before its group exists; partitions are sought, and nothing is paused, when they are assigned.
  #ifRunning(run: (consumer: Consumer) => void): void {
    try {
      if (this.#consumer !== undefined) run(this.#consumer);
    } catch (error) {
      this.#options.log.debug({ err: error }, "the consumer is not running yet");
    }
  }

  /** Stops and continues fetching of one partition. */
  pause(partition: number): void {
    this.#ifRunning((consumer) => consumer.pause([{ topic: this.#options.topic, partitions: [partition] }]));
  }

  resume(partition: number): void {
    this.#ifRunning((consumer) => consumer.resume([{ topic: this.#options.topic, partitions: [partition] }]));
  }

  /** Milliseconds since the last fetch came back; 0 while handlers wait for room. */
  get sinceFetchMs(): number {
    return this.#blocked > 0 ? 0 : performance.now() - this.#lastFetchAt;
  }

  /** Shows progress to Kafka's own tools; nothing depends on it. */
  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    const list = [...offsets].map(([partition, offset]) => ({ topic: this.#options.topic, partition, offset: String(offset) }));
    if (list.length === 0) return;
    await this.#consumer
      ?.commitOffsets(list)
      .catch((error: unknown) => this.#options.log.debug({ err: error }, "display offsets not committed"));
  }

  async #supervise(): Promise<void> {
    for (let failures = 0; !this.#stopped;) {
      const ended = new Promise<void>((resolve) => (this.#ended = resolve));
      const began = performance.now();
      try {
        await this.#begin();
        await this.#watch(ended);
      } catch (error) {
        this.#options.log.warn({ err: error, group: this.#options.groupId }, "consumer not started, trying again");
      }
      await this.#end();
      if (this.#stopped) return;
      this.#options.onReplace?.();
      failures = performance.now() - began > 30_000 ? 0 : failures + 1;
      await Promise.race([
        new Promise((resolve) => setTimeout(resolve, backoffMs(failures, 100, 2_000))),
        new Promise<void>((resolve) => (this.#ended = resolve)),
      ]);
    }
  }

  async #begin(): Promise<void> {
    const { kafka, topic, groupId, sessionTimeoutMs, fetchWaitMs, log } = this.#options;
    const retry: RetryAsMember = {
      retries: 4,
      initialRetryTime: 100,
      maxRetryTime: 1_000,
      restartOnFailure: () => Promise.resolve(false),
      ...(this.#memberId === undefined ? {} : { memberId: this.#memberId }),
    };
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(sessionTimeoutMs, 10_000),
      heartbeatInterval: Math.floor(sessionTimeoutMs / 5),
      maxWaitTimeInMs: fetchWaitMs,
      minBytes: 1,
      maxBytes: 4 * 1024 * 1024,
      maxBytesPerPartition: 512 * 1024,
      allowAutoTopicCreation: false,
      retry,
    });
    this.#consumer = consumer;
    const { CRASH, GROUP_JOIN, FETCH, END_BATCH_PROCESS } = consumer.events;
    consumer.on(CRASH, ({ payload }) => {
      log.warn({ err: payload.error, group: groupId }, "consumer ended, replacing it");
      this.#ended();
    });
    consumer.on(FETCH, () => void (this.#lastFetchAt = performance.now()));
    consumer.on(GROUP_JOIN, ({ payload }) => {
      if (this.#consumer !== consumer) return;
      this.#memberId = payload.memberId;
      // kafkajs keeps what was paused over a rebalance; whoever is given a partition begins with it anew.
      consumer.resume([{ topic }]);
      this.#handlers.onAssigned(payload.memberAssignment[topic] ?? []);
    });
    consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.#handlers.onFiltered(payload.partition, Number(payload.lastOffset));
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    this.#lastFetchAt = performance.now();
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 256, // a partition that waits for room must not hold up the others of its fetch
      eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
        this.#blocked += 1;
        try {
          // kafkajs's Batch has `fetchedOffset`, which its types leave out.
          const fetchedFrom = Number((batch as Batch & { fetchedOffset: string }).fetchedOffset);
          const { partition, messages } = batch;
          const fetched = {
            partition,
            fetchedFrom,
            lastOffset: Number(batch.lastOffset()),
            highWatermark: Number(batch.highWatermark),
            messages,
          };
          if (!(await this.#handlers.onBatch(fetched, heartbeat))) return;
          resolveOffset(batch.lastOffset());
          if (fetched.lastOffset + 1 >= fetched.highWatermark) await new Promise((resolve) => setTimeout(resolve, this.#options.paceMs));
        } finally {
          this.#blocked -= 1;
          this.#lastFetchAt = performance.now();
        }
      },
    });
  }

  /** Resolves when the consumer has ended or has not fetched for too long. */
  async #watch(ended: Promise<void>): Promise<void> {
    const stalled = Promise.withResolvers<void>();
    const timer = setInterval(() => {
      if (this.sinceFetchMs > this.#options.stallAfterMs) stalled.resolve();
    }, 1_000);
    const isStalled = await Promise.race([ended.then(() => false), stalled.promise.then(() => true)]);
    clearInterval(timer);
    if (!isStalled) return;
    const sinceFetchMs = Math.round(this.sinceFetchMs);
    this.#options.log.warn({ group: this.#options.groupId, sinceFetchMs }, "consumer stalled, replacing it");
  }

  async #end(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    if (consumer === undefined) return;
    const bound = new Promise((resolve) => setTimeout(resolve, 5_000).unref());
    await Promise.race([consumer.disconnect().catch(() => {}), bound]);
  }
}
