import { ackChannel, customerKey, parseAck, storeAcks, type Ack } from "@perkstream/inbox";
import type { Sql } from "@perkstream/postgres";
import { Draining } from "./draining.ts";
import type { Log } from "./log.ts";

/** Customers whose acknowledgement waits for Postgres; above it the oldest is dropped (its client acks again later). */
const maxWaiting = 50_000;
const batchSize = 500;
const retryMs = 500;

/**
 * Stores acknowledgements in sets, one statement at a time; while Postgres is away the greatest per customer is kept.
 * Every instance (and the merchant API) announces what moved, and every instance hears it: its own too.
 */
export class AckWriter {
  readonly #sql: Sql;
  readonly #log: Log;
  readonly #waiting = new Map<string, Ack>();
  readonly #writing = new Draining(
    () => this.#waiting.size > 0,
    () => this.#write(),
  );
  #stopped = false;
  #unlisten: (() => Promise<void>) | null = null;

  constructor(sql: Sql, log: Log) {
    this.#sql = sql;
    this.#log = log;
  }

  /** @param onRead an acknowledgement moved, of any instance */
  async start(onRead: (ack: Ack) => void): Promise<void> {
    const { unlisten } = await this.#sql.listen(ackChannel, (payload) => {
      const ack = parseAck(payload);
      if (ack !== null) onRead(ack);
    });
    this.#unlisten = unlisten;
  }

  submit(ack: Ack): void {
    const key = customerKey(ack);
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined && waiting.offset >= ack.offset) return;
    this.#waiting.set(key, ack);
    for (const oldest of this.#waiting.keys()) {
      if (this.#waiting.size <= maxWaiting) break;
      this.#waiting.delete(oldest);
    }
    this.#writing.wake();
  }

  /** Writes what waits, then stops listening. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#writing.idle();
    await this.#unlisten?.().catch(() => {});
  }

  async #write(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, batchSize);
      for (const [key] of batch) this.#waiting.delete(key);
      try {
        await storeAcks(
          this.#sql,
          batch.map(([, ack]) => ack),
        );
      } catch (error) {
        this.#log.warn({ err: error, acks: batch.length }, "acknowledgements wait for Postgres");
        if (this.#stopped) return this.#waiting.clear(); // clients ack again
        for (const [key, ack] of batch) if ((this.#waiting.get(key)?.offset ?? -1) < ack.offset) this.#waiting.set(key, ack);
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }
}
