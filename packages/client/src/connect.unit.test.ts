import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Connection, ConnectOptions } from "./connect.ts";
import { connect } from "./connect.ts";
import type { Note } from "./notifications.ts";
import { memoryStorage } from "./storage.ts";
import { fakeToken } from "./testing/tokens.ts";

/* The machine has its own test; here: that sockets, timers, tokens, storage and handlers are wired to it as they should. */

class FakeSocket {
  static all: FakeSocket[] = [];
  static get last(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }
  readonly listeners = new Map<string, (event: never) => void>();
  sent: unknown[] = [];
  closedWith: number | undefined;
  readonly url: string;
  readonly protocols: string[];
  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
    FakeSocket.all.push(this);
  }
  addEventListener(type: string, listener: (event: never) => void): void {
    this.listeners.set(type, listener);
  }
  emit(type: "open" | "message" | "close" | "error", event: object = {}): void {
    this.listeners.get(type)?.(event as never);
  }
  send(data: string): void {
    this.sent.push(JSON.parse(data));
  }
  close(code?: number): void {
    this.closedWith = code;
  }
  receive(frame: unknown): void {
    this.emit("message", { data: JSON.stringify(frame) });
  }
}

const minute = 60_000;
const expiry = (): number => Date.now() + 15 * minute;
const welcome = (cursor: string): object => ({
  t: "welcome",
  session: "s1",
  cursor,
  resumed: true,
  expiresAt: new Date(expiry()).toISOString(),
});
const earned = (offset: number): object => ({
  t: "note",
  cursor: `0:${offset}`,
  id: `e${offset}`,
  type: "CashbackEarned",
  at: "2026-01-01T00:00:00Z",
  data: { id: `e${offset}`, amountMinor: 120, currency: "EUR", campaigns: ["Spring"] },
});

let opened: Connection[] = [];
let tokens: number;

function begin(options: Partial<ConnectOptions> = {}): Connection {
  const token = (): Promise<string> => Promise.resolve(fakeToken({ expiresAt: expiry(), n: ++tokens }));
  const connection = connect({ url: "ws://x/v1/connect", token, WebSocket: FakeSocket, random: () => 0.5, ...options });
  opened.push(connection);
  return connection;
}

async function reachOnline(options: Partial<ConnectOptions> = {}): Promise<Connection> {
  const connection = begin(options);
  await vi.advanceTimersByTimeAsync(0);
  FakeSocket.last.emit("open");
  FakeSocket.last.receive(welcome("0:5"));
  return connection;
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
  FakeSocket.all = [];
  tokens = 0;
});

afterEach(() => {
  for (const connection of opened) connection.close();
  opened = [];
  if (vi.getTimerCount() > 0) throw new Error("a closed connection has left a timer");
  vi.useRealTimers();
});

it("offers the protocol and the token as subprotocols and says hello", async () => {
  await reachOnline();
  expect(FakeSocket.last.url).toBe("ws://x/v1/connect");
  expect(FakeSocket.last.protocols[0]).toBe("perks.v1");
  expect(FakeSocket.last.protocols[1]).toMatch(/^perks\.auth\.e30\./);
  expect(FakeSocket.last.sent).toEqual([{ t: "hello", device: "node" }]);
});

it("reports every state", async () => {
  const states: string[] = [];
  const connection = await reachOnline({ onState: (state) => states.push(state.status) });
  FakeSocket.last.emit("close", { code: 1006 });
  connection.close();
  expect(states).toEqual(["connecting", "online", "waiting", "closed"]);
});

it("gives a note to onNote and to the handlers of its type, until they are taken off", async () => {
  const all: string[] = [];
  const amounts: number[] = [];
  const tiers: string[] = [];
  const connection = await reachOnline({ onNote: (note) => all.push(note.id) });
  const off = connection.on("CashbackEarned", (note) => amounts.push(note.data.amountMinor));
  connection.on("TierChanged", (note) => tiers.push(note.data.reason));
  FakeSocket.last.receive(earned(6));
  FakeSocket.last.receive(earned(6));
  off();
  FakeSocket.last.receive(earned(7));
  expect(all).toEqual(["e6", "e7"]);
  expect(amounts).toEqual([120]);
  expect(tiers).toEqual([]);
});

it("keeps the cursor by merchant and customer and starts from it the next time", async () => {
  const storage = memoryStorage();
  (await reachOnline({ storage })).ack();
  FakeSocket.last.receive(earned(8));
  expect(storage.get("perkstream:m1:c1")).toBe("0:8");
  begin({ storage });
  await vi.advanceTimersByTimeAsync(0);
  FakeSocket.last.emit("open");
  expect(FakeSocket.last.sent).toEqual([{ t: "hello", device: "node", cursor: "0:8" }]);
});

it("writes one cursor at a time, and of those that wait the newest", async () => {
  const written: (string | null)[] = [];
  const done: (() => void)[] = [];
  const set = (_: string, cursor: string | null) => {
    written.push(cursor);
    return new Promise<void>((resolve) => done.push(resolve));
  };
  await reachOnline({ storage: { get: () => undefined, set } });
  const [first] = written;
  for (const offset of [6, 7, 8]) FakeSocket.last.receive(earned(offset));
  await vi.advanceTimersByTimeAsync(0);
  expect(written).toEqual([first]);
  done[0]!();
  await vi.advanceTimersByTimeAsync(0);
  expect(written).toEqual([first, "0:8"]);
});

it("works on when storage fails, and says so", async () => {
  const onError = vi.fn<(error: unknown) => void>();
  const broken = (): never => {
    throw new Error("quota");
  };
  const connection = await reachOnline({ storage: { get: broken, set: broken }, onError });
  expect(connection.state.status).toBe("online");
  await vi.advanceTimersByTimeAsync(0);
  expect(onError).toHaveBeenCalledTimes(2);
});

it("reconnects after the wait and drops nothing of the old socket into the new one", async () => {
  const onNote = vi.fn<(note: Note) => void>();
  await reachOnline({ onNote });
  const old = FakeSocket.last;
  old.receive({ t: "bye", reason: "drain", retryMs: [1_000, 3_000] });
  old.emit("close", { code: 1012 });
  await vi.advanceTimersByTimeAsync(1_999);
  expect(FakeSocket.all).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(FakeSocket.all).toHaveLength(2);
  expect(tokens).toBe(1);
});

it("takes an error before the socket opened for a lost connection, once", async () => {
  const connection = begin();
  await vi.advanceTimersByTimeAsync(0);
  FakeSocket.last.emit("error");
  FakeSocket.last.emit("close", { code: 1006 });
  expect(connection.state).toEqual({ status: "waiting", code: 1006, retryInMs: 250 });
});

it("renews the token in band before it ends", async () => {
  await reachOnline();
  await vi.advanceTimersByTimeAsync(14 * minute);
  expect(tokens).toBe(2);
  expect(FakeSocket.last.sent.at(-1)).toMatchObject({ t: "auth" });
  FakeSocket.last.receive({ t: "auth", expiresAt: new Date(expiry()).toISOString() });
  await vi.advanceTimersByTimeAsync(14 * minute);
  expect(tokens).toBe(3);
  expect(FakeSocket.all).toHaveLength(1);
});

it("retries when the token callback fails or hangs, and ignores an answer that comes too late", async () => {
  const onError = vi.fn<(error: unknown) => void>();
  const answers = [Promise.reject(new Error("offline")), new Promise<string>(() => undefined), Promise.resolve(fakeToken({}))];
  begin({ token: () => answers.shift() ?? Promise.reject(new Error("none left")), onError });
  await vi.advanceTimersByTimeAsync(0);
  expect(onError).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(250);
  expect(answers).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(30_000 + 500);
  expect(FakeSocket.all).toHaveLength(1);
});

it("closes the socket, keeps no timer and calls nobody after close()", async () => {
  const onNote = vi.fn<(note: Note) => void>();
  const connection = await reachOnline({ onNote });
  const socket = FakeSocket.last;
  connection.close();
  expect(socket.closedWith).toBe(1000);
  socket.receive(earned(9));
  expect(onNote).not.toHaveBeenCalled();
  expect(connection.state).toEqual({ status: "closed", reason: "closed" });
});

it("can be closed before it has begun", () => {
  begin().close();
  expect(FakeSocket.all).toEqual([]);
});

it("ignores what is not a frame", async () => {
  const connection = await reachOnline();
  for (const data of ["", "no json", "[]", "null", "7", new ArrayBuffer(2)]) FakeSocket.last.emit("message", { data });
  expect(connection.state.status).toBe("online");
});

it("lets a handler call back into the connection", async () => {
  const connection = await reachOnline({ onNote: (note) => connection.ack(note.cursor) });
  FakeSocket.last.receive(earned(6));
  expect(FakeSocket.last.sent.at(-1)).toEqual({ t: "ack", cursor: "0:6" });
});

it("needs a WebSocket", () => {
  vi.stubGlobal("WebSocket", undefined);
  expect(() => connect({ url: "ws://x", token: () => Promise.resolve("") })).toThrow(TypeError);
  vi.unstubAllGlobals();
});
