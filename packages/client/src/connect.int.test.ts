import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Connection, ConnectOptions } from "./index.ts";
import { connect } from "./index.ts";
import type { TestServer } from "./testing/server.ts";
import { startServer } from "./testing/server.ts";
import { fakeToken } from "./testing/tokens.ts";

/* Node's own WebSocket against a real server: the handshake, close codes and broken connections are the real ones. */

let server: TestServer;
let connection: Connection | undefined;
let seen: string[];
let tokens: number;

beforeEach(async () => {
  server = await startServer();
  seen = [];
  tokens = 0;
});

afterEach(() => {
  connection?.close();
  server.stop();
});

const token = (): Promise<string> => Promise.resolve(fakeToken({ expiresAt: Date.now() + 900_000, n: ++tokens }));

function begin(options: Partial<ConnectOptions> = {}): Connection {
  connection = connect({
    url: server.url,
    token,
    device: "test",
    WebSocket,
    random: () => 0.1,
    onNote: (note) => seen.push(note.cursor),
    ...options,
  });
  return connection;
}

const status = (): string | undefined => connection?.state.status;
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5_000, interval: 5 });
const isOnline = (): Promise<void> => until(() => expect(status()).toBe("online"));

it("receives live notes and sends acks", async () => {
  begin();
  await isOnline();
  server.note(1);
  server.note(2);
  await until(() => expect(seen).toEqual(["0:1", "0:2"]));
  connection?.ack();
  await until(() => expect(server.received.at(-1)).toEqual({ t: "ack", cursor: "0:2" }));
});

it.each([
  ["a restart", (): void => server.drop(1012)],
  ["a broken network", (): void => server.drop()],
])("gets what it missed during %s, without a gap and without a repeat", async (_, interrupt) => {
  const states: string[] = [];
  begin({ onState: (state) => states.push(state.status) });
  await isOnline();
  server.note(1);
  await until(() => expect(seen).toHaveLength(1));
  interrupt();
  server.note(2);
  await until(() => expect(seen).toEqual(["0:1", "0:2"]));
  expect(server.received.findLast((frame) => frame["t"] === "hello")).toMatchObject({ cursor: "0:1" });
  expect(states).toEqual(["connecting", "online", "waiting", "connecting", "online"]);
});

it("comes back in the window of a bye", async () => {
  begin();
  await isOnline();
  server.broadcast({ t: "bye", reason: "drain", retryMs: [30, 40] });
  server.drop(1012);
  await until(() => expect(connection?.state).toEqual({ status: "waiting", code: 1012, retryInMs: 31 }));
  await isOnline();
});

it("gets a fresh token when one is refused, and gives up when that is refused too", async () => {
  const tooOld = fakeToken({ expiresAt: Date.now() + 900_000, n: 0 });
  const answers = [tooOld];
  server.refuse = (text) => text === tooOld;
  begin({ token: () => Promise.resolve(answers.shift() ?? token()) });
  await isOnline();
  expect(server.tokens).toHaveLength(2);
  server.refuse = () => true;
  server.drop(4001);
  await until(() => expect(connection?.state).toEqual({ status: "closed", reason: "token" }));
  expect(server.tokens).toHaveLength(3);
});

it("stays away when the merchant disconnected the customer", async () => {
  begin();
  await isOnline();
  server.drop(4002);
  await until(() => expect(connection?.state).toEqual({ status: "closed", reason: "disconnected" }));
});

it("waits while nobody listens", async () => {
  server.stop();
  begin();
  await until(() => expect(connection?.state).toMatchObject({ status: "waiting", code: 1006 }));
});
