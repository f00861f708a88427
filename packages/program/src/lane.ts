import type { Sql } from "@perkstream/postgres";
import { backoffMs, classify, DefectError, FenceLostError } from "./errors.ts";
import type { KafkaLog } from "./kafkajs.ts";
import type { HostMetrics } from "./metrics.ts";
import type { Partition, Slot } from "./partition.ts";
import type { DeadLetter, Entry, Program } from "./program.ts";
import { loadOutbox } from "./progress.ts";
import type { Publisher } from "./publisher.ts";
import type { HostSettings } from "./settings.ts";
import { nextSweepRequest, recordFailure, sweepRequestDone } from "./statements.ts";
import { commitAcknowledged, commitChunk, commitSweep, type Committed, type CrashPoint, type PartitionChunk } from "./transaction.ts";

export interface LaneOptions<E, W> {
  readonly program: Program<E, W>;
  readonly sql: Sql;
  readonly publisher: Publisher;
  readonly settings: HostSettings;
  readonly log: KafkaLog;
  readonly metrics: HostMetrics;
  readonly now: () => number;
  readonly crash: CrashPoint;
  /** Takes partitions over: new epoch, stored progress, leftovers of the outbox, seek. */
  readonly acquire: (partitions: readonly Partition<E>[]) => Promise<void>;
  /** A chunk has left the buffers: there is room. */
  readonly onAdvanced: () => void;
}

interface Planned<E> {
  readonly partition: Partition<E>;
  readonly slots: readonly Slot<E>[];
  readonly endOffset: number;
}

/** How long to wait before the horizon is asked again, ms: the other program commits every few ms. */
const HORIZON_POLL_MS = 3;
const ENOUGH_FOR_NO_LINGER = 0.25;

/**
 * A lane handles some of the process's partitions, one transaction at a time, in a loop:
 *
 *   acquire what is to be acquired ─► chunk, if records wait ─► sweep step, if one is due ─► marks, polls ─► wait
 *          ▲                             │ fence, outage, repeat, data, defect (errors.ts)
 *          └───────────── recover ◄──────┘
 */
export class Lane<E, W> {
  readonly partitions = new Map<number, Partition<E>>();
  readonly #options: LaneOptions<E, W>;
  #wakeUp: () => void = () => {};
  #woken = false;
  #stopped = false;
  #loop: Promise<void> | undefined;
  #busy: Promise<void> = Promise.resolve();
  #failures = 0;
  /** Events of the next chunk at most; shrinks to find an event that no column can hold. */
  #limit: number;
  #attempted = 0;
  #rotation = 0;
  #idleSince = 0;
  #polledAt = 0;
  #askedForPoll = false;
  #sweepMore = new Set<number>();

  constructor(options: LaneOptions<E, W>) {
    this.#options = options;
    this.#limit = options.settings.chunkSize;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Ends after the transaction under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#loop;
  }

  wake(): void {
    this.#woken = true;
    this.#wakeUp();
  }

  /** Others have written outbox rows or asked for a sweep. */
  pollSoon(): void {
    this.#askedForPoll = true;
    this.wake();
  }

  get buffered(): number {
    let count = 0;
    for (const partition of this.partitions.values()) if (partition.heldOffset === null) count += partition.slots.length;
    return count;
  }

  /** Replaces the partitions between two transactions, so that this process never fences itself. */
  async assign(partitions: readonly Partition<E>[]): Promise<void> {
    const given = this.#busy.then(() => {
      this.partitions.clear();
      for (const partition of partitions) this.partitions.set(partition.partition, partition);
    });
    this.#busy = given;
    this.wake();
    await given;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const turn = this.#busy.then(() => this.#turn());
      this.#busy = turn.then(
        () => {},
        () => {},
      );
      const waitMs = await turn.catch((error: unknown) => this.#recover(error));
      if (waitMs > 0 && !this.#stopped) await this.#wait(waitMs);
      // Caught up: a short wait lets more records join the chunk, since at a low rate the cost is the number of transactions.
      if (waitMs !== HORIZON_POLL_MS && this.#fewWait())
        await new Promise((resolve) => setTimeout(resolve, this.#options.settings.lingerMs));
    }
    await this.#flush().catch(() => {});
  }

  /** One turn; resolves to how long to wait before the next. */
  async #turn(): Promise<number> {
    const acquiring = [...this.partitions.values()].filter((partition) => partition.status === "acquiring");
    if (acquiring.length > 0) {
      await this.#options.acquire(acquiring);
      this.#failures = 0;
    }
    const waiting = await this.#chunk();
    const swept = await this.#sweepOne();
    if (waiting === 0 || swept) return 0;
    await this.#poll();
    if (this.#options.now() - this.#idleSince >= this.#options.settings.flushAfterMs) await this.#flush();
    return waiting;
  }

  /** Handles one chunk. Resolves to 0 when there may be more, else to how long to wait, ms. */
  async #chunk(): Promise<number> {
    const { settings, publisher } = this.#options;
    const planned = this.#plan();
    if (planned.length === 0) return this.#idleWait();
    const ready = await this.#cutAtHorizon(planned);
    if (ready.length === 0) return HORIZON_POLL_MS;
    await publisher.room();
    this.#attempted = ready.reduce((sum, { slots }) => sum + slots.length, 0);
    const chunks = ready.map(toChunk);
    const committed = await commitChunk(this.#options.sql, this.#options.program, chunks, this.#knowledge(), this.#options.crash);
    for (const { partition, slots, endOffset } of ready) partition.advance(slots.length, endOffset);
    this.#options.onAdvanced();
    this.#afterCommit(committed);
    this.#count(committed, this.#attempted);
    this.#failures = 0;
    this.#limit = Math.min(settings.chunkSize, this.#limit * 2);
    this.#idleSince = this.#options.now();
    return 0;
  }

  #idleWait(): number {
    const { settings } = this.#options;
    const unmarked =
      [...this.partitions.values()].some((partition) => partition.acknowledgedSeq > partition.storedSeq) ||
      this.#options.publisher.queued > 0;
    return unmarked ? Math.min(settings.flushAfterMs / 2, settings.pollIntervalMs) : settings.pollIntervalMs;
  }

  /** Takes what waits, partition by partition, beginning with another one each time. */
  #plan(): Planned<E>[] {
    const running = [...this.partitions.values()].filter((partition) => partition.status === "running");
    const planned: Planned<E>[] = [];
    let room = this.#limit;
    this.#rotation += 1;
    for (let i = 0; i < running.length && room > 0; i++) {
      const partition = running[(i + this.#rotation) % running.length]!;
      const count = Math.min(partition.available(this.#options.now()), room);
      const endOffset = partition.endAfter(count);
      if (endOffset <= partition.next) continue;
      planned.push({ partition, slots: partition.slots.slice(0, count), endOffset });
      room -= count;
    }
    return planned;
  }

  async #cutAtHorizon(planned: readonly Planned<E>[]): Promise<Planned<E>[]> {
    const { program } = this.#options;
    if (program.horizon === undefined) return [...planned];
    const entries = new Map(planned.map(({ partition, slots }) => [partition.partition, slots.flatMap((slot) => slot.entry ?? [])]));
    const horizon = await program.horizon(entries);
    return planned.flatMap((plan) => {
      const until = horizon.get(plan.partition.partition);
      if (until === undefined || until >= plan.endOffset) return plan;
      if (until <= plan.partition.next) return [];
      let count = plan.slots.findIndex((slot) => slot.record.offset >= until);
      if (count < 0) count = plan.slots.length;
      const endOffset = Math.min(until, plan.partition.endAfter(count));
      return endOffset <= plan.partition.next ? [] : { partition: plan.partition, slots: plan.slots.slice(0, count), endOffset };
    });
  }

  #knowledge() {
    const acknowledged = new Map<number, number>();
    const queued = new Map<number, number>();
    for (const partition of this.partitions.values()) {
      if (partition.acknowledgedSeq > partition.storedSeq) acknowledged.set(partition.partition, partition.acknowledgedSeq);
      queued.set(partition.partition, partition.queuedSeq);
    }
    return { acknowledged, queued };
  }

  #afterCommit(committed: Committed): void {
    for (const [number, row] of committed.progress) {
      const partition = this.partitions.get(number);
      if (partition === undefined) continue;
      partition.queuedSeq = committed.queued.get(number) ?? partition.queuedSeq;
      partition.storedSeq = Math.max(partition.storedSeq, row.published);
    }
    this.#options.publisher.enqueue(committed.outbox);
  }

  #count(committed: Committed, size: number): void {
    const { metrics } = this.#options;
    const { program } = metrics;
    metrics.events.inc({ program }, size);
    metrics.chunkSize.observe({ program }, size);
    const duplicates = committed.outcomes.filter((outcome) => outcome.result === "duplicate").length;
    if (duplicates > 0) metrics.duplicates.inc({ program }, duplicates);
    for (const { reason } of committed.deadLetters) metrics.deadLetters.inc({ program, reason });
    for (const [phase, ms] of Object.entries(committed.phases)) metrics.phase.observe({ program, phase }, ms / 1_000);
  }

  /** At most one bounded sweep step, for the partition that waits for it longest. True when there is more to do at once. */
  async #sweepOne(): Promise<boolean> {
    const { program, settings, now } = this.#options;
    if (program.sweep === undefined) return false;
    const time = now();
    const due = [...this.partitions.values()]
      .filter(
        (partition) =>
          partition.status === "running" &&
          (this.#sweepMore.has(partition.partition) || time - partition.sweptAt >= settings.sweepIntervalMs),
      )
      .sort((a, b) => a.sweptAt - b.sweptAt)[0];
    if (due === undefined) return false;
    due.sweptAt = time;
    const more = await this.#sweep(due, {
      partition: due.partition,
      until: time,
      backlog: due.backlog,
      scope: null,
      limit: settings.sweepLimit,
    });
    if (more) this.#sweepMore.add(due.partition);
    else this.#sweepMore.delete(due.partition);
    this.#options.metrics.sweepBacklog.set({ program: program.name }, this.#sweepMore.size);
    return more;
  }

  async #sweep(partition: Partition<E>, request: Parameters<NonNullable<Program<E, W>["sweep"]>>[1]): Promise<boolean> {
    await this.#options.publisher.room();
    const chunk = {
      partition: partition.partition,
      nextOffset: partition.next,
      endOffset: partition.next,
      epoch: partition.epoch,
      entries: [],
      deadLetters: [],
    };
    const committed = await commitSweep(this.#options.sql, this.#options.program, chunk, request, this.#knowledge());
    this.#afterCommit(committed);
    if (committed.applied.length > 0) this.#options.metrics.sweepSteps.inc({ program: this.#options.program.name });
    return committed.more;
  }

  /** Looks for what others have written for this owner: outbox rows and sweep requests. */
  async #poll(): Promise<void> {
    const { sql, program, settings, now } = this.#options;
    if (!this.#askedForPoll && now() - this.#polledAt < settings.pollIntervalMs) return;
    this.#askedForPoll = false;
    this.#polledAt = now();
    const running = [...this.partitions.values()].filter((partition) => partition.status === "running");
    const { publisher } = this.#options;
    const rows =
      publisher.queued > 0
        ? []
        : await loadOutbox(
            sql,
            program.name,
            new Map(running.map(({ partition, queuedSeq }) => [partition, queuedSeq])),
            settings.maxBuffered,
          );
    for (const row of rows) this.partitions.get(row.partition)!.queuedSeq = row.seq;
    if (rows.length > 0) publisher.enqueue(rows);
    for (const partition of running) await this.#answerSweepRequests(partition);
  }

  async #answerSweepRequests(partition: Partition<E>): Promise<void> {
    const { sql, program, settings } = this.#options;
    for (;;) {
      const request = await nextSweepRequest(sql, program.name, partition.partition, partition.next);
      if (request === null) return;
      const { scope, at } = request;
      while (
        await this.#sweep(partition, { partition: partition.partition, until: at, backlog: false, scope, limit: settings.sweepLimit })
      );
      await sweepRequestDone(sql, program.name, request.id, partition.partition);
    }
  }

  /** Marks what Kafka has acknowledged. */
  async #flush(): Promise<void> {
    const { acknowledged } = this.#knowledge();
    if (acknowledged.size === 0) return;
    const epochs = new Map([...acknowledged.keys()].map((number) => [number, this.partitions.get(number)!.epoch]));
    await commitAcknowledged(this.#options.sql, this.#options.program, epochs, acknowledged);
    for (const [number, seq] of acknowledged) {
      const partition = this.partitions.get(number);
      if (partition !== undefined) partition.storedSeq = Math.max(partition.storedSeq, seq);
    }
  }

  /** Sorts a failure of a turn; resolves to how long to wait, ms. */
  async #recover(error: unknown): Promise<number> {
    const { program, metrics, log } = this.#options;
    const kind = classify(error);
    metrics.retries.inc({ program: program.name, kind });
    this.#failures += 1;
    if (kind === "repeat" && this.#failures <= 5) return 1;
    program.dropCaches?.();
    if (error instanceof FenceLostError) {
      metrics.fenceHits.inc({ program: program.name });
      log.warn({ program: program.name, partitions: error.partitions }, "another owner has moved the progress: reading it again");
    } else if (kind === "data" || (kind === "defect" && !(error instanceof DefectError))) {
      return this.#narrow(kind, error);
    } else if (error instanceof DefectError) {
      return this.#hold(error);
    } else {
      log.warn({ program: program.name, err: error, failures: this.#failures }, "database or broker away: trying again");
    }
    // Whether the last COMMIT happened is not known: the stored progress tells.
    for (const partition of this.partitions.values()) if (partition.status === "running") partition.status = "acquiring";
    return backoffMs(this.#failures, kind === "fence" ? 200 : 50);
  }

  /** The failing event is one of the last chunk: halve it until it stands alone. */
  async #narrow(kind: "data" | "defect", error: unknown): Promise<number> {
    const { log, program } = this.#options;
    if (this.#attempted > 1) {
      this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, this.#attempted) / 2));
      return 1;
    }
    const planned = this.#plan().at(0);
    const slot = planned?.slots.find(({ entry }) => entry !== undefined);
    if (planned === undefined || slot === undefined) {
      log.error({ program: program.name, err: error }, "a transaction without events failed");
      return backoffMs(this.#failures, 200);
    }
    const { partition, offset } = slot.record;
    if (kind === "defect") return this.#hold(new DefectError(partition, offset, error));
    const message = error instanceof Error ? error.message : String(error);
    planned.partition.givenUp.set(offset, { reason: "invalid_event", message: `a value cannot be stored: ${message}` });
    return 0;
  }

  /** A bug met at one event: its partition stops there; after `maxAttempts` it becomes a dead letter, if the setting allows. */
  async #hold(defect: DefectError): Promise<number> {
    const { program, settings, log, metrics, now } = this.#options;
    const partition = this.partitions.get(defect.partition);
    if (partition === undefined) return 0;
    const attempts = await recordFailure(this.#options.sql, program, partition.partition, partition.epoch, defect.offset).catch(() => 0);
    log.error(
      { program: program.name, partition: defect.partition, offset: defect.offset, attempts, err: defect },
      "the program failed at this event",
    );
    if (attempts >= settings.maxAttempts && settings.deadLetterDefects) {
      partition.givenUp.set(defect.offset, { reason: "program_error", message: defect.message });
      return 0;
    }
    partition.heldOffset = defect.offset;
    partition.heldUntil = now() + backoffMs(attempts, 200, 30_000);
    metrics.stopped.set({ program: program.name }, [...this.partitions.values()].filter(({ heldOffset }) => heldOffset !== null).length);
    return 1;
  }

  async #wait(ms: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wakeUp = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wakeUp = () => {};
    }
    this.#woken = false;
  }

  #fewWait(): boolean {
    const { buffered } = this;
    return buffered > 0 && buffered < this.#options.settings.chunkSize * ENOUGH_FOR_NO_LINGER;
  }
}

function toChunk<E>({ partition, slots, endOffset }: Planned<E>): PartitionChunk<E> {
  const entries: Entry<E>[] = [];
  const deadLetters: DeadLetter[] = [];
  for (const slot of slots) {
    const givenUp = partition.givenUp.get(slot.record.offset);
    if (slot.deadLetter !== undefined) deadLetters.push(slot.deadLetter);
    else if (givenUp !== undefined) deadLetters.push({ record: slot.record, scope: slot.entry.scope, ...givenUp });
    else entries.push(slot.entry);
  }
  return { partition: partition.partition, nextOffset: partition.next, endOffset, epoch: partition.epoch, entries, deadLetters };
}
