import type { Admin } from "kafkajs";

export type Offsets = ReadonlyMap<number, { readonly low: number; readonly high: number }>;

/** First and next offset of every partition, asked of the broker. */
export class BrokerOffsets {
  readonly #admin: Pick<Admin, "connect" | "disconnect" | "fetchTopicOffsets" | "deleteGroups">;
  readonly #topic: string;
  #connected: Promise<void> | undefined;
  #asking: Promise<Offsets> | undefined;
  #next: Promise<Offsets> | undefined;

  constructor(admin: Pick<Admin, "connect" | "disconnect" | "fetchTopicOffsets" | "deleteGroups">, topic: string) {
    this.#admin = admin;
    this.#topic = topic;
  }

  /**
   * What was so after the call. One question is asked at a time; all who come meanwhile share the next, not the one under way: its
   * answer may be older than what they know from elsewhere.
   */
  read(): Promise<Offsets> {
    if (this.#asking === undefined) return this.#begin();
    const before = this.#asking.catch(() => {});
    return (this.#next ??= before.then(() => this.#begin()));
  }

  async deleteGroup(groupId: string): Promise<void> {
    await this.#connect();
    await this.#admin.deleteGroups([groupId]);
  }

  async close(): Promise<void> {
    if (this.#connected !== undefined) await this.#admin.disconnect();
  }

  #begin(): Promise<Offsets> {
    this.#next = undefined;
    const asking = this.#ask().finally(() => {
      if (this.#asking === asking) this.#asking = undefined;
    });
    this.#asking = asking;
    return asking;
  }

  async #ask(): Promise<Offsets> {
    await this.#connect();
    const offsets = await this.#admin.fetchTopicOffsets(this.#topic);
    return new Map(offsets.map((one) => [one.partition, { low: Number(one.low), high: Number(one.high) }]));
  }

  #connect(): Promise<void> {
    this.#connected ??= this.#admin.connect().catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }
}
