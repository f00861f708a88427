import type { Registry } from "@perkstream/service";
import type { Sql } from "@perkstream/postgres";
import type { Admin, Kafka } from "kafkajs";
import { SupervisedConsumer, type FetchedBatch } from "./consumer.ts";
import type { CrashPoint } from "./crash.ts";
import { DeadLetterPublisher } from "./dead-letter-publisher.ts";
import type { KafkaLog } from "./kafkajs.ts";
import { Lane } from "./lane.ts";
import { hostMetrics } from "./metrics.ts";
import { Partition } from "./partition.ts";
import type { Program } from "./program.ts";
import { loadOutbox, wakeChannel } from "./progress.ts";
import { Publisher } from "./publisher.ts";
import { defaultSettings, type HostSettings } from "./settings.ts";
import { acceptGap, takeOver } from "./statements.ts";

export interface HostOptions<E, W> {
  readonly program: Program<E, W>;
  /** A pool for this host alone, of at least lanes + 3 connections. */
  readonly sql: Sql;
  readonly kafka: Kafka;
  /** Where the program's notifications go. */
  readonly noticeTopic: string;
  /** Where its dead letters go: `deadLetterTopic`. */
  readonly deadLetterTopic: string;
  readonly log: KafkaLog;
  readonly metrics: Registry;
  readonly settings?: Partial<HostSettings>;
  /** Ends the process at a step, in tests of crashes. */
  readonly crash?: CrashPoint;
}

export interface PartitionReport {
  readonly partition: number;
  readonly status: string;
  readonly nextOffset: number;
  readonly logEnd: number;
  readonly buffered: number;
}

export interface RunningProgram {
  /** True once the group has given this process its partitions and all of them are taken over. */
  readonly ready: boolean;
  report(): readonly PartitionReport[];
  /** Stops in order: fetching, transactions under way, publishing, marks. */
  stop(): Promise<void>;
}

const DISPLAY_COMMIT_MS = 5_000;
const LEFTOVER_ROWS = 20_000;
/** Longer than kafkajs's own bound of a request. */
const LOG_ANSWER_MS = 12_000;

/** Runs a program: consumer, lanes, publishers. It goes on by itself after every outage, until `stop`. */
export function startProgram<E, W>(options: HostOptions<E, W>): RunningProgram {
  return new Host(options);
}

class Host<E, W> implements RunningProgram {
  readonly #options: HostOptions<E, W>;
  readonly #settings: HostSettings;
  readonly #consumer: SupervisedConsumer;
  readonly #lanes: Lane<E, W>[];
  readonly #publishers: Publisher[];
  readonly #deadLetters: DeadLetterPublisher;
  readonly #partitions = new Map<number, Partition<E>>();
  readonly #laneOf = new Map<number, Lane<E, W>>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #metrics: ReturnType<typeof hostMetrics>;
  #admin: Promise<Admin> | undefined;
  readonly #paused = new Set<number>();
  #joined = false;
  #stopped = false;
  readonly #roomWaiters = new Set<() => void>();
  #unlisten: (() => Promise<void>) | undefined;

  constructor(options: HostOptions<E, W>) {
    this.#options = options;
    this.#settings = { ...defaultSettings, ...options.settings };
    this.#metrics = hostMetrics(options.program.name, options.metrics);
    const { program, kafka, log } = options;
    this.#publishers = Array.from({ length: this.#settings.lanes }, () => this.#publisher());
    this.#deadLetters = new DeadLetterPublisher({
      ...options,
      topic: options.deadLetterTopic,
      partitions: () => [...this.#partitions.keys()],
    });
    this.#lanes = this.#publishers.map((publisher) => this.#lane(publisher));
    const { sessionTimeoutMs, fetchWaitMs, stallAfterMs, fetchPaceMs: paceMs } = this.#settings;
    const onReplace = () => this.#metrics.retries.inc({ program: program.name, kind: "consume" });
    this.#consumer = new SupervisedConsumer(
      { kafka, topic: program.topic, groupId: program.groupId, sessionTimeoutMs, fetchWaitMs, stallAfterMs, paceMs, log, onReplace },
      {
        onAssigned: (partitions) => this.#assign(partitions),
        onBatch: (batch, heartbeat) => this.#take(batch, heartbeat),
        onFiltered: (partition, lastOffset) => this.#filtered(partition, lastOffset),
      },
    );
    for (const lane of this.#lanes) lane.start();
    this.#deadLetters.start();
    this.#consumer.start();
    void this.#listen();
    this.#timers.push(setInterval(() => void this.#display(), DISPLAY_COMMIT_MS).unref());
    this.#timers.push(setInterval(() => this.#measure(), 1_000).unref());
  }

  get ready(): boolean {
    return this.#joined && [...this.#partitions.values()].every(({ status }) => status !== "acquiring");
  }

  report(): PartitionReport[] {
    return [...this.#partitions.values()].map(({ partition, status, next, logEnd, slots, heldOffset }) => ({
      partition,
      status: heldOffset === null ? status : "held",
      nextOffset: next,
      logEnd,
      buffered: slots.length,
    }));
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#wakeRoom();
    for (const publisher of this.#publishers) publisher.release();
    await Promise.race([this.#display(), new Promise((resolve) => setTimeout(resolve, 1_000))]);
    await this.#consumer.stop();
    for (const publisher of this.#publishers) await publisher.drain(5_000);
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    await Promise.all([...this.#publishers, this.#deadLetters].map((publisher) => publisher.stop()));
    await this.#unlisten?.().catch(() => {});
    await this.#admin?.then((admin) => admin.disconnect()).catch(() => {});
  }

  #publisher(): Publisher {
    const { kafka, program, noticeTopic, log, crash } = this.#options;
    return new Publisher({
      kafka,
      program: program.name,
      topic: noticeTopic,
      log,
      maxQueued: 2 * this.#settings.chunkSize,
      ...(crash === undefined ? {} : { crash }),
      onError: () => this.#metrics.retries.inc({ program: program.name, kind: "publish" }),
      onAcknowledged: (number, seq) => {
        const partition = this.#partitions.get(number);
        if (partition !== undefined) partition.acknowledgedSeq = Math.max(partition.acknowledgedSeq, seq);
      },
    });
  }

  #lane(publisher: Publisher): Lane<E, W> {
    const { program, sql, log, crash } = this.#options;
    const lane: Lane<E, W> = new Lane({
      program,
      sql,
      publisher,
      settings: this.#settings,
      log,
      metrics: this.#metrics,
      crash: crash ?? (() => {}),
      acquire: (partitions) => this.#acquire(partitions, publisher),
      onAdvanced: () => {
        this.#wakeRoom();
        if (this.#paused.size > 0) this.#resumeMended();
      },
      onDeadLetters: () => this.#deadLetters.wake(),
    });
    return lane;
  }

  /** All partitions of this member, anew: kafkajs's protocol gives and takes all of them at each rebalance. */
  #assign(numbers: readonly number[]): void {
    const { program, log } = this.#options;
    log.info({ program: program.name, partitions: numbers }, "partitions assigned");
    program.dropCaches?.();
    this.#partitions.clear();
    this.#laneOf.clear();
    this.#paused.clear();
    const ofLane = this.#lanes.map((): Partition<E>[] => []);
    for (const [i, number] of [...numbers].sort((a, b) => a - b).entries()) {
      const partition = new Partition<E>(number);
      this.#partitions.set(number, partition);
      this.#laneOf.set(number, this.#lanes[i % this.#lanes.length]!);
      ofLane[i % ofLane.length]!.push(partition);
    }
    for (const [i, lane] of this.#lanes.entries()) void lane.assign(ofLane[i]!);
    this.#joined = true;
    this.#deadLetters.wake();
    this.#wakeRoom();
  }

  /**
   * New epoch, then what the outbox still holds, then the place to read from. The log is asked last: an owner that is not fenced
   * yet could move the progress beyond an end that was asked before.
   */
  async #acquire(partitions: readonly Partition<E>[], publisher: Publisher): Promise<void> {
    const { program, sql, log } = this.#options;
    const epochs = new Map(partitions.map(({ partition }) => [partition, freshEpoch()]));
    const stored = await takeOver(sql, program, epochs);
    this.#options.crash?.("acquire");
    const ranges = await this.#logRanges();
    program.dropCaches?.();
    publisher.forget(new Set(epochs.keys()));
    const published = new Map([...stored].map(([partition, row]) => [partition, row.published]));
    const leftovers = await loadOutbox(sql, program.name, published, LEFTOVER_ROWS);
    for (const partition of partitions) {
      const row = stored.get(partition.partition)!;
      const range = ranges.get(partition.partition) ?? { low: 0, high: 0 };
      partition.acknowledgedSeq = row.published;
      partition.storedSeq = row.published;
      partition.queuedSeq =
        leftovers.length < LEFTOVER_ROWS
          ? row.outSeq
          : (leftovers.findLast((left) => left.partition === row.partition)?.seq ?? row.published);
      partition.logEnd = range.high;
      let next = row.nextOffset;
      if (next < range.low || next > range.high) {
        if (!this.#settings.acceptGap) {
          partition.status = "gap";
          log.error(
            { program: program.name, partition: row.partition, storedOffset: next, logBegins: range.low, logEnds: range.high },
            "the log no longer holds the stored offset: this partition is stopped until a start with --accept-gap",
          );
          continue;
        }
        log.warn(
          { program: program.name, partition: row.partition, storedOffset: next, logBegins: range.low, logEnds: range.high },
          "gap accepted",
        );
        next = next < range.low ? range.low : range.high;
        await acceptGap(sql, program, row.partition, row.epoch, next);
      }
      partition.resume(next, row.epoch);
      this.#consumer.seek(row.partition, partition.fetchFrom);
    }
    publisher.enqueue(leftovers);
    this.#wakeRoom();
  }

  /** Bounded, since the lane waits for it, and asked again by a new connection. */
  async #logRanges(): Promise<Map<number, { low: number; high: number }>> {
    const connecting = this.#connectedAdmin();
    try {
      const offsets = await answered(connecting.then((admin) => admin.fetchTopicOffsets(this.#options.program.topic)));
      return new Map(offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]));
    } catch (error) {
      this.#admin = undefined;
      void connecting.then((admin) => admin.disconnect()).catch(() => {});
      throw error;
    }
  }

  #connectedAdmin(): Promise<Admin> {
    this.#admin ??= (async () => {
      const admin = this.#options.kafka.admin({ retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 500 } });
      await admin.connect();
      return admin;
    })();
    this.#admin.catch(() => (this.#admin = undefined));
    return this.#admin;
  }

  /** Puts fetched records into their partition's buffer; waits while the lane has no room or the partition is being taken over. */
  async #take(batch: FetchedBatch, heartbeat: () => Promise<void>): Promise<boolean> {
    const partition = this.#partitions.get(batch.partition);
    const lane = this.#laneOf.get(batch.partition);
    if (partition === undefined || lane === undefined || this.#stopped) return false;
    while (partition.status === "acquiring" || (lane.isFull && !partition.isStuck)) {
      await this.#room(1_000);
      await heartbeat();
      if (this.#stopped || this.#partitions.get(batch.partition) !== partition) return false;
    }
    if (partition.status === "gap" || (partition.isStuck && partition.slots.length >= this.#settings.chunkSize)) {
      this.#consumer.pause(batch.partition);
      this.#paused.add(batch.partition);
      return false;
    }
    if (batch.fetchedFrom !== partition.fetchFrom) {
      // kafkajs answers an offset out of range by a jump of its own: the range is checked anew.
      if (batch.fetchedFrom > partition.fetchFrom) partition.status = "acquiring";
      lane.wake();
      this.#consumer.seek(batch.partition, partition.fetchFrom);
      return false;
    }
    for (const message of batch.messages) partition.push({ offset: Number(message.offset), message });
    partition.fetchFrom = batch.lastOffset + 1;
    partition.slotsEnd = batch.lastOffset + 1;
    partition.logEnd = Math.max(batch.highWatermark, batch.lastOffset + 1);
    lane.wake();
    return true;
  }

  #filtered(number: number, lastOffset: number): void {
    const partition = this.#partitions.get(number);
    if (partition === undefined || partition.status !== "running" || lastOffset + 1 <= partition.fetchFrom) return;
    partition.fetchFrom = lastOffset + 1;
    partition.slotsEnd = lastOffset + 1;
    this.#laneOf.get(number)?.wake();
  }

  #room(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#roomWaiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#roomWaiters.add(done);
    });
  }

  #wakeRoom(): void {
    for (const done of this.#roomWaiters) done();
  }

  #resumeMended(): void {
    for (const number of this.#paused) {
      const partition = this.#partitions.get(number);
      if (partition !== undefined && (partition.status === "gap" || partition.isStuck)) continue;
      this.#paused.delete(number);
      this.#consumer.resume(number);
    }
  }

  async #listen(): Promise<void> {
    try {
      const { unlisten } = await this.#options.sql.listen(wakeChannel(this.#options.program.name), () => {
        for (const lane of this.#lanes) lane.pollSoon();
      });
      this.#unlisten = unlisten;
    } catch (error) {
      this.#options.log.debug({ err: error }, "not listening: rows of others are found by polling");
    }
  }

  async #display(): Promise<void> {
    const running = [...this.#partitions.values()].filter(({ status }) => status === "running");
    await this.#consumer.commit(new Map(running.map(({ partition, next }) => [partition, next])));
    this.#options.crash?.("kafka-commit");
  }

  #measure(): void {
    this.#resumeMended();
    const { program } = this.#metrics;
    const all = [...this.#partitions.values()];
    const now = Date.now();
    const oldest = Math.min(...all.flatMap(({ slots }) => (slots[0] === undefined ? [] : Number(slots[0].message.timestamp))), now);
    this.#metrics.lagEvents.set(
      { program },
      all.reduce((sum, { logEnd, next }) => sum + Math.max(0, logEnd - next), 0),
    );
    this.#metrics.lagSeconds.set({ program }, Math.max(0, now - oldest) / 1_000);
    this.#metrics.outboxRows.set(
      { program },
      this.#publishers.reduce((sum, publisher) => sum + publisher.queued, 0),
    );
    this.#metrics.outboxSeconds.set({ program }, Math.max(...this.#publishers.map(({ stalledMs }) => stalledMs)) / 1_000);
    this.#metrics.fetchAge.set({ program }, this.#consumer.sinceFetchMs / 1_000);
    this.#metrics.sweepBacklog.set(
      { program },
      this.#lanes.reduce((sum, lane) => sum + lane.sweepBacklog, 0),
    );
    this.#metrics.stopped.set({ program }, all.filter(({ status, heldOffset }) => status === "gap" || heldOffset !== null).length);
  }
}

/** Rejects as an outage when there is no answer in time. */
async function answered<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = Object.assign(new Error("Kafka did not tell where the log ends"), { name: "OutageError" });
    timer = setTimeout(() => reject(error), LOG_ANSWER_MS);
  });
  work.catch(() => {}); // after the bound nobody waits for it
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Random, below 2^48, never 0. */
function freshEpoch(): number {
  return 1 + Math.floor(Math.random() * (2 ** 48 - 1));
}
