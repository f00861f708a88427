import type { InboxPosition } from "@perkstream/inbox";
import { SupervisedConsumer, type FetchedBatch } from "@perkstream/program";
import type { Log } from "../log.ts";
import type { Kafka } from "kafkajs";
import { BrokerOffsets } from "./broker-offsets.ts";
import { LivePositions } from "./positions.ts";

export interface LiveReaderOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  /** A group of this instance's own: every instance reads every partition. */
  readonly groupId: string;
  readonly log: Log;
  /** Stored position and sequences of every partition, of one snapshot. */
  readonly positions: () => Promise<ReadonlyMap<number, InboxPosition>>;
  /** Before the records of a batch are given out: whatever is needed to read them. Rejects on an outage. */
  readonly prepare: (values: readonly (Buffer | null)[]) => Promise<void>;
  /** A new record, in order; must not throw. */
  readonly onRecord: (partition: number, offset: number, key: Buffer | null, value: Buffer | null) => void;
  /** The partition's place is lost: what its customers got may have a gap. */
  readonly onLost: (partition: number) => void;
  readonly fetchWaitMs?: number;
}

const sessionTimeoutMs = 10_000;
const stallAfterMs = 30_000;
const paceMs = 4;
const retryMs = 250;

/**
 * Follows all partitions of the notifications topic from the inbox's position on, in memory.
 *
 *   start ─► positions of the inbox ─► consumer ─► at every join: seek each partition to its own next offset
 *               ▲                         │
 *               └── offset out of range ──┘ (kafkajs jumps to the earliest record: the fetch begins elsewhere)
 */
export class LiveReader {
  readonly positions = new LivePositions();
  readonly #options: LiveReaderOptions;
  readonly #consumer: SupervisedConsumer;
  readonly #ends: BrokerOffsets;
  /**
   * Per partition where the next fetch begins, and where the last seek went until a batch was taken after it (one under way
   * may outrun the seek). Any other place means that the log was made anew or cut.
   */
  readonly #expected = new Map<number, number>();
  readonly #sought = new Map<number, number>();
  #seeks = 0;
  #joined: () => void = () => {};
  readonly #firstJoin = new Promise<void>((resolve) => (this.#joined = resolve));
  #hasJoined = false;
  #stopped = false;

  constructor(options: LiveReaderOptions) {
    this.#options = options;
    const { kafka, topic, groupId, log, fetchWaitMs = 100 } = options;
    this.#ends = new BrokerOffsets(kafka.admin({ retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 500 } }), topic);
    this.#consumer = new SupervisedConsumer(
      { kafka, topic, groupId, log, fetchWaitMs, sessionTimeoutMs, stallAfterMs, paceMs },
      {
        onAssigned: (partitions) => this.#seekAll(partitions),
        onBatch: (batch, heartbeat) => this.#take(batch, heartbeat),
        onFiltered: (partition, lastOffset) => this.#endBatch(partition, lastOffset + 1),
      },
    );
  }

  /** Resolves when the group has been joined. Rejects when the inbox or the broker cannot be asked. */
  async start(): Promise<void> {
    for (const [partition, position] of await this.#resumable(await this.#options.positions())) this.positions.start(partition, position);
    this.#consumer.start();
    await this.#firstJoin;
  }

  /** Why live notes do not flow, or null when they do. */
  problem(): string | null {
    if (!this.#hasJoined) return "the live reader has not joined its group";
    return this.#consumer.sinceFetchMs > stallAfterMs / 2 ? "the live reader has not fetched for a while" : null;
  }

  /** Milliseconds since the last fetch came back. */
  get sinceFetchMs(): number {
    return this.#consumer.sinceFetchMs;
  }

  /** Where the partition ends now, asked of the broker: the offset of the next record to be written. */
  async end(partition: number): Promise<number> {
    const found = (await this.#ends.read()).get(partition);
    if (found === undefined) throw new Error(`${this.#options.topic} has no partition ${partition}`);
    return found.high;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#consumer.stop();
    // The group is of this instance alone; one that cannot be deleted expires at the broker.
    await this.#ends.deleteGroup(this.#options.groupId).catch((error: unknown) => {
      this.#options.log.warn({ err: error, group: this.#options.groupId }, "the instance's consumer group was not deleted");
    });
    await this.#ends.close();
  }

  #seekAll(partitions: readonly number[]): void {
    for (const partition of partitions) this.#seek(partition, this.positions.next(partition) ?? 0);
    this.#hasJoined = true;
    this.#joined();
  }

  #seek(partition: number, offset: number): void {
    this.#expected.set(partition, offset);
    this.#sought.set(partition, offset);
    this.#seeks += 1;
    this.#consumer.seek(partition, offset);
  }

  #isExpected({ partition, fetchedFrom }: FetchedBatch): boolean {
    return fetchedFrom === this.#expected.get(partition) || fetchedFrom === this.#sought.get(partition);
  }

  async #take(batch: FetchedBatch, heartbeat: () => Promise<void>): Promise<boolean> {
    const { partition, messages, lastOffset } = batch;
    if (!this.#isExpected(batch)) {
      await this.#lost(partition, heartbeat);
      return false;
    }
    const seeks = this.#seeks;
    await this.#patiently(() => this.#options.prepare(messages.map((message) => message.value)), heartbeat);
    if (this.#stopped || !this.#isExpected(batch)) return false; // joined anew meanwhile
    for (const { offset, key, value, headers } of messages) {
      if (this.positions.take(partition, Number(offset), binary(headers)) === "new")
        this.#options.onRecord(partition, Number(offset), key, value);
    }
    if (seeks === this.#seeks) this.#sought.delete(partition);
    this.#endBatch(partition, lastOffset + 1);
    return true;
  }

  #endBatch(partition: number, next: number): void {
    this.#expected.set(partition, next);
    this.positions.skipTo(partition, next);
  }

  /** The log does not hold what comes next: start over where the inbox is, as far as the log reaches. */
  async #lost(partition: number, heartbeat: () => Promise<void>): Promise<void> {
    const { log, onLost } = this.#options;
    log.error({ partition, next: this.positions.next(partition) }, "the live position is no longer in the log");
    await this.#patiently(async () => {
      const position = (await this.#resumable(await this.#options.positions())).get(partition);
      if (position === undefined) throw new Error(`partition ${partition} is gone`);
      this.positions.start(partition, position);
      onLost(partition);
      this.#seek(partition, position.nextOffset);
    }, heartbeat);
  }

  /** An outage of Postgres or the registry is waited for, so that no note is passed over. */
  async #patiently(run: () => Promise<void>, heartbeat: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      try {
        return await run();
      } catch (error) {
        this.#options.log.warn({ err: error }, "the live reader waits for an outage to end");
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        await heartbeat();
      }
    }
  }

  async #resumable(stored: ReadonlyMap<number, InboxPosition>): Promise<Map<number, InboxPosition>> {
    const resumable = new Map<number, InboxPosition>();
    for (const [partition, { low, high }] of await this.#ends.read()) {
      const position = stored.get(partition) ?? { nextOffset: 0, sources: [] };
      const nextOffset = Math.min(Math.max(position.nextOffset, low), high);
      if (nextOffset !== position.nextOffset)
        this.#options.log.error({ partition, stored: position.nextOffset, low, high }, "the inbox's position is not in the log");
      resumable.set(partition, { ...position, nextOffset });
    }
    return resumable;
  }
}

const noHeaders = {};

function binary(headers: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, Buffer>> {
  const source = headers?.["source"];
  return Buffer.isBuffer(source) ? { source } : noHeaders;
}
