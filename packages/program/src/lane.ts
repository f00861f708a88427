import type { Sql } from "@perkstream/postgres";
import type { CrashPoint } from "./crash.ts";
import { Decoding } from "./decoding.ts";
import { backoffMs, classify, DefectError, FenceLostError } from "./errors.ts";
import type { KafkaLog } from "./kafkajs.ts";
import type { HostMetrics } from "./metrics.ts";
import type { Partition } from "./partition.ts";
import { cutAt, entriesOf, halves, planChunk, planSuspects, toChunk, type Planned, type Suspect } from "./plan.ts";
import type { Program, SweepRequest } from "./program.ts";
import { loadOutbox } from "./progress.ts";
import type { Publisher } from "./publisher.ts";
import type { HostSettings } from "./settings.ts";
import { openSweepRequests, recordFailure, sweepRequestDone } from "./statements.ts";
import { commitAcknowledged, commitChunk, commitSweep, type Committed } from "./transaction.ts";
import { Waker } from "./waker.ts";

export interface LaneOptions<E, W> {
  readonly program: Program<E, W>;
  readonly sql: Sql;
  readonly publisher: Publisher;
  readonly settings: HostSettings;
  readonly log: KafkaLog;
  readonly metrics: HostMetrics;
  readonly crash: CrashPoint;
  /** Takes partitions over: new epoch, stored progress, leftovers of the outbox, seek. */
  readonly acquire: (partitions: readonly Partition<E>[]) => Promise<void>;
  /** A chunk has left the buffers: there is room. */
  readonly onAdvanced: () => void;
  /** Dead letters were stored. */
  readonly onDeadLetters: () => void;
}

/** How long to wait before the horizon is asked again, ms: the other program commits every few ms, unless it stands still. */
const HORIZON_POLL_MS = 3;
const HORIZON_POLL_MAX_MS = 50;
const ENOUGH_FOR_NO_LINGER = 0.25;
/** While records come in, acknowledged rows are marked by the chunks; a mark of their own would be one more commit. */
const BUSY_FLUSH_MS = 1_000;
/** Orders wait while a sweep step runs, so its size follows from how long the last one took, ms. */
const SWEEP_STEP_MS = 40;
const FIRST_SWEEP_LIMIT = 50;
const LEAST_SWEEP_LIMIT = 5;

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
  readonly #decoding: Decoding<E, W>;
  readonly #waker = new Waker();
  #stopped = false;
  #loop: Promise<void> | undefined;
  #busy: Promise<void> = Promise.resolve();
  #failures = 0;
  /** What the transaction under way handles, so that a failure can be traced to its event. */
  #inFlight: readonly Planned<E>[] = [];
  /** Where an event that cannot be stored is looked for: each group is handled by itself, halved when it fails. */
  #suspects: Suspect<E>[][] = [];
  #horizonWaits = 0;
  #rotation = 0;
  /* Times within the lane are those of the monotonic clock: a step of the system's clock must not hold anything up. */
  #polledAt = Number.NEGATIVE_INFINITY;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #askedForPoll = false;
  /** A sweep was asked for in a partition that must be read on first: asked again after each chunk. */
  #sweepsWait = false;
  #sweepMore = new Set<number>();
  #sweepLimit = FIRST_SWEEP_LIMIT;

  constructor(options: LaneOptions<E, W>) {
    this.#options = options;
    const isOwned = (partition: Partition<E>) => !this.#stopped && this.partitions.get(partition.partition) === partition;
    this.#decoding = new Decoding({ ...options, isOwned, wake: () => this.wake() });
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
    this.#waker.wake();
  }

  /** Others have written outbox rows or asked for a sweep. */
  pollSoon(): void {
    this.#askedForPoll = true;
    this.wake();
  }

  /** Whether more records may wait. What cannot be handled now does not count: it must not keep others from being fetched. */
  get isFull(): boolean {
    const { maxBuffered, maxBufferedBytes } = this.#options.settings;
    let count = 0;
    let bytes = 0;
    for (const partition of this.partitions.values()) {
      if (partition.isStuck) continue;
      count += partition.slots.length;
      bytes += partition.bytes;
    }
    return count >= maxBuffered || bytes >= maxBufferedBytes;
  }

  /** Partitions with more to be swept than one step has done. */
  get sweepBacklog(): number {
    let count = 0;
    for (const number of this.#sweepMore) if (this.partitions.get(number)?.status === "running") count += 1;
    return count;
  }

  /** Replaces the partitions between two transactions, so that this process never fences itself. */
  async assign(partitions: readonly Partition<E>[]): Promise<void> {
    const given = this.#busy.then(() => {
      this.partitions.clear();
      for (const partition of partitions) this.partitions.set(partition.partition, partition);
      this.#suspects = [];
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
      if (waitMs > 0 && !this.#stopped) await this.#waker.wait(waitMs);
      // Caught up: a short wait lets more records join the chunk, since at a low rate the cost is the number of transactions.
      if (this.#horizonWaits === 0 && this.#fewWait()) await new Promise((resolve) => setTimeout(resolve, this.#options.settings.lingerMs));
    }
    await this.#flush(0).catch(() => {});
  }

  /** One turn; resolves to how long to wait before the next. */
  async #turn(): Promise<number> {
    this.#inFlight = [];
    const acquiring = [...this.partitions.values()].filter((partition) => partition.status === "acquiring");
    if (acquiring.length > 0) {
      await this.#options.acquire(acquiring);
      this.#failures = 0;
    }
    const waiting = await this.#chunk();
    this.#inFlight = [];
    await this.#sweepOne();
    await this.#poll();
    await this.#flush(waiting === 0 ? BUSY_FLUSH_MS : this.#options.settings.flushAfterMs);
    // What the poll has queued is to be marked soon after it is in Kafka.
    return this.sweepBacklog > 0 ? 0 : Math.min(waiting, this.#idleWait());
  }

  /** Handles one chunk. Resolves to 0 when there may be more, else to how long to wait, ms. */
  async #chunk(): Promise<number> {
    const { program, publisher, sql, crash } = this.#options;
    const planned = this.#plan();
    if (planned.length === 0) return this.#idleWait();
    const decoded = await this.#decoding.decode(planned);
    if (decoded.length === 0) return this.#idleWait();
    const ready = program.horizon === undefined ? decoded : cutAt(decoded, await program.horizon(entriesOf(decoded)));
    if (ready.length === 0) return Math.min(HORIZON_POLL_MAX_MS, HORIZON_POLL_MS * (1 + this.#horizonWaits++ / 8));
    this.#horizonWaits = 0;
    await publisher.room();
    this.#inFlight = ready;
    const committed = await commitChunk(sql, program, ready.map(toChunk), this.#knowledge(), crash);
    this.#inFlight = [];
    for (const { partition, slots, endOffset } of ready) partition.advance(slots.length, endOffset);
    this.#options.onAdvanced();
    this.#afterCommit(committed);
    this.#count(
      committed,
      ready.reduce((sum, { slots }) => sum + slots.length, 0),
    );
    this.#failures = 0;
    return 0;
  }

  /** The next chunk: what waits, or while an event is looked for, the first group of suspects. */
  #plan(): Planned<E>[] {
    const { settings } = this.#options;
    const now = performance.now();
    while (this.#suspects.length > 0) {
      const suspects = planSuspects(this.#suspects[0]!, now);
      if (suspects.length > 0) return suspects;
      this.#suspects.shift();
    }
    const running = [...this.partitions.values()].filter((partition) => partition.status === "running");
    this.#rotation += 1;
    return planChunk(running, this.#rotation, { events: settings.chunkSize, bytes: settings.maxChunkBytes, now });
  }

  #idleWait(): number {
    const { settings } = this.#options;
    const unmarked =
      [...this.partitions.values()].some((partition) => partition.acknowledgedSeq > partition.storedSeq) ||
      this.#options.publisher.queued > 0;
    return unmarked ? Math.min(settings.flushAfterMs / 2, settings.pollIntervalMs) : settings.pollIntervalMs;
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
    if (committed.deadLetters.length > 0) this.#options.onDeadLetters();
    for (const [phase, ms] of Object.entries(committed.phases)) metrics.phase.observe({ program, phase }, ms / 1_000);
  }

  /** At most one bounded sweep step, for the partition that waits for it longest. */
  async #sweepOne(): Promise<void> {
    const { program, settings } = this.#options;
    if (program.sweep === undefined) return;
    const time = performance.now();
    const due = [...this.partitions.values()]
      .filter(
        (partition) =>
          partition.status === "running" &&
          (this.#sweepMore.has(partition.partition) || time - partition.sweptAt >= settings.sweepIntervalMs),
      )
      .sort((a, b) => a.sweptAt - b.sweptAt)[0];
    if (due === undefined) return;
    due.sweptAt = time;
    const more = await this.#sweep(due, {
      partition: due.partition,
      until: Date.now(),
      backlog: due.backlog,
      scope: null,
    });
    if (more) this.#sweepMore.add(due.partition);
    else this.#sweepMore.delete(due.partition);
  }

  async #sweep(partition: Partition<E>, asked: Omit<SweepRequest, "limit">): Promise<boolean> {
    await this.#options.publisher.room();
    const request = { ...asked, limit: Math.min(this.#sweepLimit, this.#options.settings.sweepLimit) };
    const began = performance.now();
    const chunk = {
      partition: partition.partition,
      nextOffset: partition.next,
      endOffset: partition.next,
      epoch: partition.epoch,
      entries: [],
      deadLetters: [],
    };
    const committed = await commitSweep(this.#options.sql, this.#options.program, chunk, request, this.#knowledge(), this.#options.crash);
    this.#afterCommit(committed);
    if (committed.applied.length > 0) this.#options.metrics.sweepSteps.inc({ program: this.#options.program.name });
    if (committed.more) this.#sweepLimit = nextSweepLimit(request.limit, performance.now() - began);
    return committed.more;
  }

  /** Looks for what others have written for this owner: outbox rows and sweep requests. */
  async #poll(): Promise<void> {
    const { sql, program, settings } = this.#options;
    if (!this.#askedForPoll && !this.#sweepsWait && performance.now() - this.#polledAt < settings.pollIntervalMs) return;
    this.#askedForPoll = false;
    this.#polledAt = performance.now();
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
    for (const number of (await program.urgent?.(sql)) ?? []) this.#sweepMore.add(number);
    if (running.length > 0) await this.#answerSweepRequests(running);
  }

  async #answerSweepRequests(running: readonly Partition<E>[]): Promise<void> {
    const { sql, program } = this.#options;
    const offsets = running.map(({ partition, next }) => ({ part: partition, off: next }));
    const requests = await openSweepRequests(sql, program.name, offsets);
    for (const { id, scope, at, ready } of requests) {
      if (ready.length === 0) continue;
      for (const partition of (await program.sweepable?.(sql, ready, scope, at)) ?? ready) {
        while (await this.#sweep(this.partitions.get(partition)!, { partition, until: at, backlog: false, scope }));
      }
      await sweepRequestDone(sql, program.name, id, ready);
    }
    this.#sweepsWait = requests.some(({ isBehind }) => isBehind);
  }

  /** Marks what Kafka has acknowledged, unless that was done within the last `everyMs`; chunks do it for their own partitions. */
  async #flush(everyMs: number): Promise<void> {
    const time = performance.now();
    if (time - this.#flushedAt < everyMs) return;
    this.#flushedAt = time;
    const { acknowledged } = this.#knowledge();
    if (acknowledged.size === 0) return;
    const epochs = new Map([...acknowledged.keys()].map((number) => [number, this.partitions.get(number)!.epoch]));
    await commitAcknowledged(this.#options.sql, this.#options.program, epochs, acknowledged);
    this.#options.crash("mark");
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
    } else if ((kind === "data" || (kind === "defect" && !(error instanceof DefectError))) && this.#inFlight.length > 0) {
      return this.#narrow(kind, error);
    } else if (error instanceof DefectError) {
      return this.#hold(error);
    } else {
      const message =
        kind === "outage" || kind === "repeat"
          ? "database or broker away: trying again"
          : "a transaction without events failed: trying again";
      log[kind === "outage" || kind === "repeat" ? "warn" : "error"](
        { program: program.name, err: error, failures: this.#failures },
        message,
      );
    }
    // Whether the last COMMIT happened is not known: the stored progress tells.
    for (const partition of this.partitions.values()) if (partition.status === "running") partition.status = "acquiring";
    return backoffMs(this.#failures, kind === "fence" ? 200 : 50);
  }

  /** One of these events makes the transaction fail: they are halved until it stands alone. */
  async #narrow(kind: "data" | "defect", error: unknown): Promise<number> {
    const parts = halves(this.#inFlight);
    if (parts !== null) {
      if (this.#suspects.length > 0) this.#suspects.shift();
      this.#suspects.unshift(...parts);
      return 1;
    }
    const failed = this.#inFlight.find(({ slots }) => slots.length > 0);
    const { partition, offset } = { partition: failed?.partition, offset: failed?.slots[0]?.offset };
    if (partition === undefined || offset === undefined) {
      this.#options.log.error({ program: this.#options.program.name, err: error }, "a transaction without events failed");
      return backoffMs(this.#failures, 200);
    }
    if (kind === "defect") return this.#hold(new DefectError(partition.partition, offset, error));
    const message = error instanceof Error ? error.message : String(error);
    partition.givenUp.set(offset, { reason: "invalid_event", message: `a value cannot be stored: ${message}` });
    return 0;
  }

  /** A bug met at one event: its partition stops there; after `maxAttempts` it becomes a dead letter, if the setting allows. */
  async #hold(defect: DefectError): Promise<number> {
    const { program, settings, log } = this.#options;
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
    this.#suspects = [];
    partition.heldOffset = defect.offset;
    partition.heldUntil = performance.now() + backoffMs(attempts, 200, 30_000);
    return 1;
  }

  #fewWait(): boolean {
    let count = 0;
    for (const partition of this.partitions.values()) if (!partition.isStuck) count += partition.slots.length;
    return count > 0 && count < this.#options.settings.chunkSize * ENOUGH_FOR_NO_LINGER;
  }
}

/** Twice as many customers after a quick step, fewer in proportion after a slow one. */
function nextSweepLimit(limit: number, tookMs: number): number {
  if (tookMs > SWEEP_STEP_MS) return Math.max(LEAST_SWEEP_LIMIT, Math.floor((limit * SWEEP_STEP_MS) / tookMs));
  return tookMs < SWEEP_STEP_MS / 2 ? limit * 2 : limit;
}
