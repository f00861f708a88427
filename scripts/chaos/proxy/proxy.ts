import { connect, createServer, type Server, type Socket } from "node:net";
import { CommitAnswers, CommitRequests } from "./commits.ts";
import { SendRequests } from "./sends.ts";

const loopback = "127.0.0.1";

export type Swallow = "none" | "both" | "answers";
/** Of a COMMIT to PostgreSQL or a send to Kafka: it never arrives, or it is done and nobody hears of it. */
export type Loss = "request" | "answer";

/** A TCP proxy of this process whose connections can be hurt. */
export interface Proxy {
  readonly port: number;
  /** From now on bytes take `ms` longer each way. */
  delay(ms: number): void;
  /** Takes bytes and passes none on; with "none" it passes on again and resets the connections that lost something. */
  swallow(what: Swallow): void;
  /** Resets every connection, at both ends; returns how many. */
  reset(): number;
  /** The next `times` COMMITs or their answers are lost: the connection is reset at both ends instead. */
  loseCommits(loss: Loss, times: number): void;
  /** The next `times` sends to Kafka of clients whose id begins so, or their answers, are lost in the same way. */
  loseSends(client: string, loss: Loss, times: number): void;
  /** Commits and sends lost so far, of both sorts; sends of all clients. */
  readonly lost: number;
  /** Bytes swallowed so far. */
  readonly swallowedBytes: number;
  close(): Promise<void>;
}

/** Passes on to `upstream` on this machine, where `protocol` is spoken. */
export async function openProxy(upstream: number, protocol: "postgres" | "kafka" | "any"): Promise<Proxy> {
  const state: State = {
    protocol,
    delayMs: 0,
    swallow: "none",
    toLose: { request: 0, answer: 0 },
    sendsToLose: new Map(),
    lost: 0,
    swallowedBytes: 0,
  };
  const pairs = new Set<Pair>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const pair = new Pair(client, upstream, state, () => pairs.delete(pair));
    pairs.add(pair);
  });
  await listen(server);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
  const reset = () => {
    const hurt = [...pairs];
    for (const pair of hurt) pair.reset();
    return hurt.length;
  };
  return {
    port: address.port,
    delay: (ms) => void (state.delayMs = ms),
    swallow: (what) => {
      state.swallow = what;
      if (what === "none") for (const pair of pairs) if (pair.lostBytes) pair.reset();
    },
    reset,
    loseCommits: (loss, times) => void (state.toLose[loss] = times),
    loseSends: (client, loss, times) => void state.sendsToLose.set(client, { loss, times }),
    get lost() {
      return state.lost;
    },
    get swallowedBytes() {
      return state.swallowedBytes;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        reset();
      }),
  };
}

interface State {
  readonly protocol: "postgres" | "kafka" | "any";
  delayMs: number;
  swallow: Swallow;
  readonly toLose: Record<Loss, number>;
  /** By the beginning of the client's id. */
  readonly sendsToLose: Map<string, { readonly loss: Loss; times: number }>;
  lost: number;
  swallowedBytes: number;
}

/** One connection and its other half. */
class Pair {
  lostBytes = false;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #state: State;
  readonly #commits = { request: new CommitRequests(), answer: new CommitAnswers() };
  readonly #sends = new SendRequests();
  /** Whose send has gone through and is not answered yet. */
  #sender: string | null = null;
  readonly #onGone: () => void;

  constructor(client: Socket, upstream: number, state: State, onGone: () => void) {
    this.#client = client;
    this.#server = connect({ host: loopback, port: upstream, noDelay: true, allowHalfOpen: true });
    this.#state = state;
    this.#onGone = onGone;
    this.#join(client, this.#server, false);
    this.#join(this.#server, client, true);
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
    this.#onGone();
  }

  #join(from: Socket, to: Socket, isAnswer: boolean): void {
    const line = new DelayLine();
    const loss = isAnswer ? "answer" : "request";
    from.on("data", (chunk: Buffer) => {
      const isLost = this.#loses(loss, chunk);
      if (this.#swallows(isAnswer)) {
        this.#state.swallowedBytes += chunk.length;
        return;
      }
      if (isLost) {
        this.#state.lost += 1;
        return this.reset();
      }
      line.put(this.#state.delayMs, () => {
        if (to.destroyed || to.write(chunk)) return;
        from.pause();
        to.once("drain", () => from.resume());
      });
    });
    from.on("end", () => {
      if (!this.#swallows(isAnswer)) line.put(this.#state.delayMs, () => void to.end());
    });
    // Also a refused connection to a server that is down.
    from.on("error", () => this.#swallows(isAnswer) || this.reset());
    from.on("close", () => {
      if (!this.#swallows(isAnswer) && to.destroyed) this.#onGone();
    });
  }

  /** Reads along, and tells whether this chunk has what is to be lost. */
  #loses(loss: Loss, chunk: Buffer): boolean {
    const { protocol, toLose, swallow } = this.#state;
    if (protocol === "postgres") {
      const isCommit = this.#commits[loss].sees(chunk);
      if (!isCommit || toLose[loss] === 0 || swallow !== "none") return false;
      toLose[loss] -= 1;
      return true;
    }
    if (protocol !== "kafka") return false;
    const sender = loss === "request" ? this.#sends.sees(chunk) : this.#sender;
    this.#sender = loss === "request" ? (sender ?? this.#sender) : null;
    if (sender === null || swallow !== "none") return false;
    for (const [client, planned] of this.#state.sendsToLose) {
      if (planned.times === 0 || planned.loss !== loss || !sender.startsWith(client)) continue;
      planned.times -= 1;
      return true;
    }
    return false;
  }

  /** Whether what comes from this side gets lost now; from then on the connection is good for nothing. */
  #swallows(isAnswer: boolean): boolean {
    const { swallow } = this.#state;
    const lost = swallow === "both" || (swallow === "answers" && isAnswer);
    if (lost) this.lostBytes = true;
    return lost;
  }
}

/** Runs things a while later, in the order in which they were put, also when the delay gets shorter meanwhile. */
class DelayLine {
  readonly #waiting: { readonly at: number; readonly run: () => void }[] = [];

  put(delayMs: number, run: () => void): void {
    if (delayMs === 0 && this.#waiting.length === 0) return run();
    this.#waiting.push({ at: performance.now() + delayMs, run });
    if (this.#waiting.length === 1) this.#arm();
  }

  #arm(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const timer = setTimeout(
      () => {
        this.#waiting.shift();
        first.run();
        this.#arm();
      },
      Math.max(0, first.at - performance.now()),
    );
    timer.unref();
  }
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, loopback, resolve);
  });
}
