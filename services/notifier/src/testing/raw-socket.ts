import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

export interface RawHead {
  readonly status: number;
  readonly head: string;
}

/** A WebSocket client by hand: chooses its headers, sends any frame, and reads only when told. */
export class RawSocket {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("close", end).on("end", end).on("error", end);
  }

  static async open(port: number, headers: Readonly<Record<string, string>>, path = "/v1/connect"): Promise<{ raw: RawSocket } & RawHead> {
    const socket = connect({ port, host: "127.0.0.1" });
    const raw = new RawSocket(socket);
    const all = {
      host: `127.0.0.1:${port}`,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"),
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    await raw.#until(() => raw.#received.includes("\r\n\r\n"));
    const end = raw.#received.indexOf("\r\n\r\n");
    const head = raw.#received.subarray(0, Math.max(0, end)).toString("latin1");
    raw.#received = raw.#received.subarray(end + 4);
    return { raw, head, status: Number(head.split(" ")[1]) };
  }

  /** What has come and was not read as a frame yet. */
  get text(): string {
    return this.#received.toString("utf8");
  }

  /** Opcode 1 is text, 2 binary. */
  send(payload: string | Buffer, opcode = 1): void {
    const data = Buffer.from(payload);
    const mask = randomBytes(4);
    const length = data.length < 126 ? Buffer.from([0x80 | data.length]) : Buffer.from([0x80 | 126, data.length >> 8, data.length & 255]);
    const masked = Buffer.from(data.map((byte, i) => byte ^ mask[i % 4]!));
    this.socket.write(Buffer.concat([Buffer.from([0x80 | opcode]), length, mask, masked]));
  }

  /** Reads frames until the close frame; its code and reason, or null when the connection just ended. */
  async closed(timeoutMs = 10_000): Promise<{ code: number; reason: string } | null> {
    for (;;) {
      const frame = this.#nextFrame();
      if (frame?.opcode === 8) return closeOf(frame.payload);
      if (frame !== null) continue;
      if (this.#ended) return null;
      const size = this.#received.length;
      await this.#until(() => this.#received.length > size, timeoutMs);
    }
  }

  #nextFrame(): { opcode: number; payload: Buffer } | null {
    const bytes = this.#received;
    if (bytes.length < 2) return null;
    let length = bytes[1]! & 0x7f;
    let start = 2;
    if (length === 126) {
      if (bytes.length < 4) return null;
      length = bytes.readUInt16BE(2);
      start = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return null;
      length = Number(bytes.readBigUInt64BE(2));
      start = 10;
    }
    if (bytes.length < start + length) return null;
    const frame = { opcode: bytes[0]! & 0x0f, payload: bytes.subarray(start, start + length) };
    this.#received = bytes.subarray(start + length);
    return frame;
  }

  async #until(holds: () => boolean, timeoutMs = 10_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!holds() && !this.#ended) {
      if (performance.now() > deadline) throw new Error(`nothing came in ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

/** 1005 stands for a close without a code. */
function closeOf(payload: Buffer): { code: number; reason: string } {
  return { code: payload.length < 2 ? 1_005 : payload.readUInt16BE(0), reason: payload.subarray(2).toString("utf8") };
}
