import { once } from "node:events";
import type { Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { z } from "@hono/zod-openapi";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp } from "../app.ts";
import { operation, reply } from "../operation.ts";
import { problemSchema } from "../schemas/problem.ts";
import { testDeps } from "../testing/deps.ts";
import { createApiServer } from "./server.ts";

const echo = operation({
  method: "post",
  path: "/v1/echo",
  tag: "Test",
  summary: "Echo",
  access: { kind: "anybody" },
  body: z.object({ text: z.string() }),
  replies: { 200: { description: "Echo", schema: z.object({ text: z.string() }) } },
  handle: async ({ body }) => reply(200, body),
});

const logged: string[] = [];
let server: Server;

beforeAll(async () => {
  const log = pino({ level: "error" }, { write: (line: string) => void logged.push(line) });
  const app = createApp(await testDeps({ log }), [echo]);
  const arrival = { requestArrivesMs: 400, headersArriveMs: 300, arrivalCheckMs: 50 };
  server = createApiServer((request) => app.fetch(request), arrival).listen(0, "127.0.0.1");
  if (!server.listening) await once(server, "listening");
});
afterAll(() => void server?.close());

/** Writes, and reads until the connection ends. */
async function say(...parts: (string | Buffer)[]): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  for (const part of parts) socket.write(part);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

const head = "POST /v1/echo HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

test.each([
  ["no HTTP", "hello\r\n\r\n"],
  ["an address that is no ASCII", Buffer.from("GET /v1/\u00fc HTTP/1.1\r\nhost: localhost\r\n\r\n", "latin1")],
  ["headers without end", `GET / HTTP/1.1\r\n${"x: y\r\n".repeat(5_000)}`],
  ["headers that do not come", "GET / HTTP/1.1\r\nhost: local"],
  ["a body that does not come", `${head}content-length: 100\r\n\r\n{"text":`],
  ["chunks without end", `${head}transfer-encoding: chunked\r\n\r\n5\r\n{"tex\r\n`],
  ["a length and chunks", `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["a Host that is none", "GET /v1/x HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n"],
])("%s is answered by a problem document, in time, and no defect", async (_name, bytes) => {
  const [answered = "", body = ""] = (await say(bytes)).split("\r\n\r\n");
  expect(answered).toMatch(/^HTTP\/1\.1 400 /);
  expect(answered).toMatch(/content-type: application\/problem\+json/i);
  expect(problemSchema.parse(JSON.parse(body)).code).toBe("invalid_request");
  expect(logged).toEqual([]);
});

test("HEAD is refused without a body", async () => {
  const answered = await say(Buffer.from("HEAD /v1/\u00fc HTTP/1.1\r\nhost: localhost\r\n\r\n", "latin1"));
  expect(answered).toMatch(/^HTTP\/1\.1 400 [^]*\r\n\r\n$/);
});

test("a client that goes away in the middle of its body is no defect", async () => {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.write(`${head}content-length: 100\r\n\r\n{"text":`);
  const [seen] = (await once(server, "request")) as [{ once(event: "close", heard: () => void): void }];
  const closed = new Promise<void>((resolve) => seen.once("close", resolve));
  socket.destroy();
  await closed;
  expect(await say(`${head}content-length: 12\r\nconnection: close\r\n\r\n{"text":"a"}`)).toContain('{"text":"a"}');
  expect(logged).toEqual([]);
});
