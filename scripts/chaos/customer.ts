import { connect, memoryStorage, type Connection, type CursorStorage } from "@perkstream/client";
import type { Random } from "../simulate/random.ts";

const flapAfterMs = { least: 3_000, spread: 12_000 };
const tokenSeconds = 30;
const tokenLimitMs = 10_000;

/** A note as a customer's application got it. */
export interface SeenNote {
  readonly id: string;
  readonly cursor: string;
}

export interface CustomerOptions {
  readonly merchantId: string;
  readonly customerId: string;
  readonly apiKey: string;
  readonly merchantApi: string;
  /** Ports of the notifiers; every connection takes another one. */
  readonly ports: readonly number[];
  readonly random: Random;
}

/** A customer of a shop with its application open, whose connection breaks and whose application is closed and opened again. */
export class OnlineCustomer {
  readonly merchantId: string;
  readonly customerId: string;
  readonly seen: SeenNote[] = [];
  /** Where the first connection began: everything after it must be seen. */
  firstCursor: string | null = null;
  connections = 0;
  /** Cursors that a notifier refused, which none may while the topic is the same, and when. */
  readonly refused: string[] = [];
  /** The server ended it for good. */
  ended: string | null = null;
  readonly #options: CustomerOptions;
  readonly #storage: CursorStorage;
  #connection: Connection | undefined;
  #socket: WebSocket | undefined;
  #flap: NodeJS.Timeout | undefined;
  #isClosing = false;
  #openedAt = 0;

  constructor(options: CustomerOptions) {
    this.#options = options;
    this.merchantId = options.merchantId;
    this.customerId = options.customerId;
    const memory = memoryStorage();
    this.#storage = {
      get: (key) => memory.get(key),
      set: (key, cursor) => {
        if (cursor === null) {
          const sinceMs = Math.round(performance.now() - this.#openedAt);
          this.refused.push(`${String(memory.get(key))} at ${new Date().toISOString()}, ${sinceMs} ms after it connected`);
        }
        this.firstCursor ??= cursor;
        return memory.set(key, cursor);
      },
    };
  }

  open(): void {
    this.#isClosing = false;
    const { random, ports } = this.#options;
    const sockets = (socket: WebSocket) => {
      this.#socket = socket;
      this.#openedAt = performance.now();
    };
    class Socket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        const at = new URL(url);
        at.port = String(ports[random.below(ports.length)]);
        super(at.href, protocols);
        sockets(this);
      }
    }
    this.#connection = connect({
      url: "ws://127.0.0.1/v1/connect",
      token: () => this.#token(),
      device: "chaos",
      storage: this.#storage,
      WebSocket: Socket,
      random: () => random.fraction(),
      onNote: ({ id, cursor }) => {
        this.seen.push({ id, cursor });
        if (random.chance(0.3)) this.#connection?.ack();
      },
      onState: (state) => {
        if (state.status === "online") this.connections += 1;
        if (state.status === "closed" && !this.#isClosing) this.ended = state.reason;
      },
    });
  }

  /** From now on its connection does not hold for long. */
  startFlapping(): void {
    const { random } = this.#options;
    this.#flap = setTimeout(
      () => {
        // Its network goes, it does not want to wait, or the application is started anew with what it has stored.
        const kind = random.below(3);
        if (kind === 0) this.#socket?.close();
        else if (kind === 1) this.#connection?.retryNow();
        else {
          this.close();
          this.open();
        }
        this.startFlapping();
      },
      flapAfterMs.least + random.below(flapAfterMs.spread),
    );
  }

  stopFlapping(): void {
    clearTimeout(this.#flap);
  }

  get isOnline(): boolean {
    return this.#connection?.state.status === "online";
  }

  retryNow(): void {
    this.#connection?.retryNow();
  }

  close(): void {
    this.#isClosing = true;
    this.#connection?.close();
  }

  async #token(): Promise<string> {
    const { merchantApi, customerId, apiKey } = this.#options;
    const response = await fetch(`${merchantApi}/v1/customers/${customerId}/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": apiKey },
      body: JSON.stringify({ ttlSeconds: tokenSeconds }),
      signal: AbortSignal.timeout(tokenLimitMs),
    });
    const text = await response.text();
    if (response.status !== 201) throw new Error(`no token: ${response.status} ${text.slice(0, 200)}`);
    return (JSON.parse(text) as { token: string }).token;
  }
}
