const produceKey = 0;
/** Length of the request (4), key of the API (2), its version (2), correlation (4), length of the client's id (2). */
const clientIdAt = 14;
const lengthBytes = 4;

/** Sees Produce, and whose it is, in what a client sends to Kafka. */
export class SendRequests {
  /** The beginning of a request, until the client's id is in it. */
  #held = Buffer.alloc(0);
  #skip = 0;

  /** The id of the client whose send begins in this chunk, else null; a connection is one client's. */
  sees(chunk: Buffer): string | null {
    let seen: string | null = null;
    let at = 0;
    while (at < chunk.length) {
      const passed = Math.min(this.#skip, chunk.length - at);
      this.#skip -= passed;
      at += passed;
      const part = chunk.subarray(at, at + this.#missing());
      this.#held = Buffer.concat([this.#held, part]);
      at += part.length;
      if (this.#held.length === 0 || this.#missing() > 0) continue;
      if (this.#held.readInt16BE(lengthBytes) === produceKey) seen = this.#held.toString("utf8", clientIdAt);
      this.#skip = lengthBytes + this.#held.readInt32BE(0) - this.#held.length;
      this.#held = Buffer.alloc(0);
    }
    return seen;
  }

  #missing(): number {
    const idBytes = this.#held.length < clientIdAt ? 0 : Math.max(0, this.#held.readInt16BE(clientIdAt - 2));
    return clientIdAt + idBytes - this.#held.length;
  }
}
