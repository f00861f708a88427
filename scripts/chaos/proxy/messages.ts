const headerBytes = 5;

/**
 * Cuts one side of a PostgreSQL connection into its messages: a byte of type, four of length with themselves, the body. What a
 * client says first has no type. Of each body the first bytes are kept, the rest is passed over.
 */
export class MessageReader {
  readonly #onMessage: (type: string, body: Buffer) => void;
  readonly #keep: number;
  #held = Buffer.alloc(0);
  #skip = 0;
  #isFirst: boolean;

  constructor(options: { readonly side: "client" | "server"; readonly keep: number }, onMessage: (type: string, body: Buffer) => void) {
    this.#isFirst = options.side === "client";
    this.#keep = options.keep;
    this.#onMessage = onMessage;
  }

  read(chunk: Buffer): void {
    const passed = Math.min(this.#skip, chunk.length);
    this.#skip -= passed;
    this.#held = Buffer.concat([this.#held, chunk.subarray(passed)]);
    while (this.#skip === 0 && this.#held.length >= headerBytes) {
      const lead = this.#isFirst ? 0 : 1;
      const size = lead + this.#held.readUInt32BE(lead);
      const kept = Math.min(size, headerBytes + this.#keep);
      if (this.#held.length < kept) return;
      if (!this.#isFirst) this.#onMessage(this.#held.toString("latin1", 0, 1), this.#held.subarray(headerBytes, kept));
      this.#isFirst = false;
      this.#skip = Math.max(0, size - this.#held.length);
      this.#held = this.#held.subarray(Math.min(size, this.#held.length));
    }
  }
}
