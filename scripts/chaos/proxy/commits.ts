import { MessageReader } from "./messages.ts";

const keep = 256;

/** Sees COMMIT in what a client sends. */
export class CommitRequests {
  /** Prepared statements that are a COMMIT. */
  readonly #prepared = new Set<string>();
  #seen = false;
  readonly #reader = new MessageReader({ side: "client", keep }, (type, body) => {
    const [first = "", second = ""] = body.toString("latin1").split("\0");
    if (type === "Q" && isCommit(first)) this.#seen = true;
    // Parse: name, statement. Bind: portal, name.
    if (type === "P" && isCommit(second)) this.#prepared.add(first);
    else if (type === "P") this.#prepared.delete(first);
    if (type === "B" && this.#prepared.has(second)) this.#seen = true;
  });

  /** Whether one ends in this chunk. */
  sees(chunk: Buffer): boolean {
    this.#seen = false;
    this.#reader.read(chunk);
    return this.#seen;
  }
}

/** Sees the answers to COMMIT in what the server sends. */
export class CommitAnswers {
  #seen = false;
  readonly #reader = new MessageReader({ side: "server", keep }, (type, body) => {
    if (type === "C" && body.toString("latin1") === "COMMIT\0") this.#seen = true;
  });

  /** Whether one ends in this chunk. */
  sees(chunk: Buffer): boolean {
    this.#seen = false;
    this.#reader.read(chunk);
    return this.#seen;
  }
}

function isCommit(statement: string): boolean {
  return statement.trim().toLowerCase() === "commit";
}
