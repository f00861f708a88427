import { backoffMs, classify } from "./errors.ts";
import type { KafkaLog } from "./kafkajs.ts";
import type { HostMetrics } from "./metrics.ts";
import type { Partition, Slot } from "./partition.ts";
import type { Planned } from "./plan.ts";
import type { Program, SourceRecord } from "./program.ts";
import { toRecord } from "./record.ts";

const BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5_000;

export interface DecodingOptions<E, W> {
  readonly program: Program<E, W>;
  readonly log: KafkaLog;
  readonly metrics: HostMetrics;
  /** Whether the partition is still this lane's. */
  readonly isOwned: (partition: Partition<E>) => boolean;
  /** A partition may be handled again. */
  readonly wake: () => void;
}

/**
 * Decodes what was planned. A record whose schema nobody here has seen waits while the registry is away, and with it its partition
 * alone: the others go on with the schemas that are known.
 */
export class Decoding<E, W> {
  readonly #options: DecodingOptions<E, W>;

  constructor(options: DecodingOptions<E, W>) {
    this.#options = options;
  }

  /** Resolves to what can be handled. Rejects when a program fails to get ready by itself. */
  async decode(planned: readonly Planned<E>[]): Promise<readonly Planned<E>[]> {
    try {
      await this.#decodeAll(planned);
      return planned;
    } catch (error) {
      if (classify(error) !== "outage") throw error;
    }
    const tried = await Promise.allSettled(planned.map((plan) => this.#decodeAll([plan])));
    const other = tried.find((result) => result.status === "rejected" && classify(result.reason) !== "outage");
    if (other?.status === "rejected") throw other.reason;
    return planned.filter((plan, i) => {
      const result = tried[i]!;
      if (result.status === "rejected") void this.#wait(plan, result.reason);
      return result.status === "fulfilled";
    });
  }

  async #decodeAll(planned: readonly Planned<E>[]): Promise<void> {
    const { program } = this.#options;
    const fresh: { slot: Slot<E>; record: SourceRecord }[] = [];
    for (const { partition, slots } of planned) {
      for (const slot of slots)
        if (slot.decoded === undefined) fresh.push({ slot, record: toRecord(partition.partition, slot.offset, slot.message) });
    }
    if (fresh.length === 0) return;
    await program.prepare?.(fresh.map(({ record }) => record));
    for (const { slot, record } of fresh) slot.decoded = decode(program, record);
  }

  /** Asks again in the background, until there is an answer, be it that something else is wrong, or the partition is another's. */
  async #wait(plan: Planned<E>, cause: unknown): Promise<void> {
    const { program, log, metrics, isOwned, wake } = this.#options;
    const { partition } = plan;
    partition.undecodable = true;
    let failure: { readonly error: unknown } | null = { error: cause };
    for (let attempt = 0; failure !== null && classify(failure.error) === "outage" && isOwned(partition); attempt++) {
      metrics.retries.inc({ program: program.name, kind: "outage" });
      const where = { program: program.name, partition: partition.partition, offset: partition.next };
      log.warn({ ...where, err: failure.error }, "a schema cannot be had: the partition waits");
      await new Promise((resolve) => setTimeout(resolve, backoffMs(attempt, BACKOFF_MS, MAX_BACKOFF_MS)).unref());
      failure = await this.#decodeAll([plan]).then(
        () => null,
        (error: unknown) => ({ error }),
      );
    }
    partition.undecodable = false;
    wake();
  }
}

/** A `decode` that throws is a defect of the program and makes a dead letter `program_error`. */
function decode<E, W>(program: Program<E, W>, record: SourceRecord): NonNullable<Slot<E>["decoded"]> {
  try {
    const decoded = program.decode(record);
    if ("event" in decoded) return { record, entry: { record, scope: decoded.scope, event: decoded.event } };
    return { record, deadLetter: { record, scope: decoded.scope, ...decoded.rejected } };
  } catch (error) {
    const message = `decode failed: ${error instanceof Error ? error.message : String(error)}`;
    return { record, deadLetter: { record, scope: null, reason: "program_error", message } };
  }
}
