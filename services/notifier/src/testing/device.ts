/** A frame of the server, as it came. */
export type Frame = { readonly t: string } & Readonly<Record<string, unknown>>;

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A device of a customer, over Node's own WebSocket. */
export class Device {
  readonly frames: Frame[] = [];
  readonly socket: WebSocket;
  readonly closed: Promise<Closed>;
  #close: Closed | null = null;
  #waiting: (() => void)[] = [];

  constructor(port: number, protocols: string[], path = "/v1/connect") {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols);
    this.socket.addEventListener("message", ({ data }) => {
      const frame: unknown = JSON.parse(String(data));
      if (isFrame(frame)) this.frames.push(frame);
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.addEventListener("close", ({ code, reason }) => {
        this.#close = { code, reason };
        resolve(this.#close);
        this.#wake();
      });
    });
  }

  static connect(port: number, token: string): Device {
    return new Device(port, ["perks.v1", `perks.auth.${token}`]);
  }

  async opened(): Promise<this> {
    if (this.socket.readyState === WebSocket.CONNECTING) {
      await new Promise<void>((resolve, reject) => {
        this.socket.addEventListener("open", () => resolve(), { once: true });
        this.socket.addEventListener("error", () => reject(new Error("not opened")), { once: true });
      });
    }
    return this;
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Says hello and returns the welcome. */
  async hello(cursor?: string, device = "test"): Promise<Frame> {
    await this.opened();
    this.send({ t: "hello", device, ...(cursor === undefined ? {} : { cursor }) });
    await this.until(() => this.of("welcome").length > 0);
    return this.of("welcome")[0]!;
  }

  of(t: string): Frame[] {
    return this.frames.filter((frame) => frame.t === t);
  }

  get notes(): Frame[] {
    return this.of("note");
  }

  get ids(): unknown[] {
    return this.notes.map((note) => note["id"]);
  }

  get cursors(): string[] {
    return this.notes.map((note) => String(note["cursor"]));
  }

  /** Waits for a condition that frames bring about. */
  async until(holds: () => boolean, timeoutMs = 30_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!holds()) {
      if (this.#close !== null) throw new Error(`closed with ${this.#close.code} ${this.#close.reason}; frames: ${this.frames.length}`);
      const left = deadline - performance.now();
      if (left <= 0)
        throw new Error(`not seen in ${timeoutMs} ms; frames: ${this.frames.length}, last: ${JSON.stringify(this.frames.at(-1))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  close(): void {
    this.socket.close();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

function isFrame(value: unknown): value is Frame {
  return typeof value === "object" && value !== null && "t" in value && typeof value.t === "string";
}

export const offsetOf = (cursor: string): number => Number(cursor.split(":")[1]);
