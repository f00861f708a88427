import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openProxy, type Proxy } from "./proxy.ts";

// An upstream that says everything back, and notes what it heard.
let upstream: Server;
let heard = "";
let proxy: Proxy;

beforeEach(async () => {
  heard = "";
  upstream = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      heard += chunk.toString("latin1");
      socket.write(chunk);
    });
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const address = upstream.address();
  proxy = await openProxy(typeof address === "object" && address !== null ? address.port : 0, "postgres");
});
afterEach(async () => {
  await proxy.close();
  upstream.close();
});

interface Line {
  readonly socket: Socket;
  text(): string;
  /** The code of its end, "" when it was in order, null while it is open. */
  ended(): string | null;
}

async function open(): Promise<Line> {
  const socket = connect(proxy.port, "127.0.0.1");
  let text = "";
  let ended: string | null = null;
  socket.on("data", (chunk: Buffer) => void (text += chunk.toString("latin1")));
  socket.on("error", (error: NodeJS.ErrnoException) => void (ended = error.code ?? "?"));
  socket.on("close", () => void (ended ??= ""));
  await once(socket, "connect");
  return { socket, text: () => text, ended: () => ended };
}

test("passes bytes and ends in both ways", async () => {
  const line = await open();
  line.socket.write("hello");
  await expect.poll(line.text).toBe("hello");
  line.socket.end();
  await expect.poll(line.ended).toBe("");
});

test("a delay keeps the order, also when it ends", async () => {
  const line = await open();
  proxy.delay(150);
  const from = performance.now();
  line.socket.write("a");
  await expect.poll(() => heard).toBe("a");
  // 5 ms less: timers of Node may fire early by a part of one.
  expect(performance.now() - from).toBeGreaterThan(145);
  // Its answer is on its way through the delay or about to be; what follows must not overtake it.
  proxy.delay(0);
  line.socket.write("b");
  await expect.poll(line.text).toBe("ab");
});

test("swallowed answers: the request has arrived, and the connection is reset at the end", async () => {
  const line = await open();
  proxy.swallow("answers");
  line.socket.write("pay");
  await expect.poll(() => heard).toBe("pay");
  const other = await open();
  proxy.swallow("none");
  await expect.poll(line.ended).toBe("ECONNRESET");
  expect(line.text()).toBe("");
  // Nothing of this one was lost.
  other.socket.write("more");
  await expect.poll(other.text).toBe("more");
});

test("swallowed both ways: nothing arrives", async () => {
  const line = await open();
  proxy.swallow("both");
  line.socket.write("pay");
  await expect.poll(() => proxy.swallowedBytes).toBe(3);
  proxy.swallow("none");
  await expect.poll(line.ended).toBe("ECONNRESET");
  expect(heard).toBe("");
});

test("reset", async () => {
  const lines = [await open(), await open()];
  for (const line of lines) line.socket.write("x");
  await expect.poll(() => heard).toBe("xx");
  expect(proxy.reset()).toBe(2);
  for (const line of lines) await expect.poll(line.ended).toBe("ECONNRESET");
});

test("a server that is down is a reset", async () => {
  upstream.close();
  await once(upstream, "close");
  const line = await open();
  await expect.poll(line.ended).toBe("ECONNRESET");
});

test("a COMMIT or its answer is lost as often as told", async () => {
  const startup = Buffer.from("\0\0\0\x08\0\x03\0\0");
  const commit = Buffer.from("Q\0\0\0\x0bcommit\0");
  const answer = Buffer.from("C\0\0\0\x0bCOMMIT\0Z\0\0\0\x05I");
  proxy.loseCommits("answer", 1);
  const first = await open();
  first.socket.write(answer);
  await expect.poll(first.ended).toBe("ECONNRESET");
  expect(heard).toBe(answer.toString("latin1"));
  heard = "";
  proxy.loseCommits("request", 1);
  const second = await open();
  second.socket.write(Buffer.concat([startup, commit]));
  await expect.poll(second.ended).toBe("ECONNRESET");
  expect(heard).toBe("");
  const third = await open();
  third.socket.write(Buffer.concat([startup, commit]));
  await expect.poll(() => heard).toBe(Buffer.concat([startup, commit]).toString("latin1"));
  expect(proxy.lost).toBe(2);
});

test("a send of one client or its answer is lost as often as told", async () => {
  await proxy.close();
  proxy = await openProxy((upstream.address() as { port: number }).port, "kafka");
  const send = (client: string) =>
    Buffer.from(`\0\0\0${String.fromCodePoint(10 + client.length)}\0\0\0\x09\0\0\0\x01\0${String.fromCodePoint(client.length)}${client}`);
  for (const loss of ["request", "answer"] as const) {
    heard = "";
    proxy.loseSends("tier-", loss, 1);
    const other = await open();
    other.socket.write(send("cash-1"));
    await expect.poll(other.text).toBe(send("cash-1").toString("latin1"));
    heard = "";
    const first = await open();
    first.socket.write(send("tier-1"));
    await expect.poll(first.ended).toBe("ECONNRESET");
    expect(heard).toBe(loss === "request" ? "" : send("tier-1").toString("latin1"));
    const second = await open();
    second.socket.write(send("tier-1"));
    await expect.poll(second.text).toBe(send("tier-1").toString("latin1"));
  }
  expect(proxy.lost).toBe(2);
});
