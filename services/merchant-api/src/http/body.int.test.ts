import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { serve, type ServerType } from "@hono/node-server";
import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createApp } from "../app.ts";
import { operation, reply } from "../operation.ts";
import { testDeps } from "../testing/deps.ts";
import { limits } from "./limits.ts";

const length = operation({
  method: "post",
  path: "/v1/length",
  tag: "Test",
  summary: "Length",
  access: { kind: "anybody" },
  body: z.object({ text: z.string() }),
  replies: { 200: { description: "Length", schema: z.object({ length: z.int() }) } },
  handle: async ({ body: { text } }) => reply(200, { length: text.length }),
});

let server: ServerType;
let agent: Agent;
/** How many connections the client has made. */
let connections: number;

beforeAll(async () => {
  server = serve({ fetch: createApp(await testDeps(), [length]).fetch, port: 0, hostname: "127.0.0.1" });
  server.on("connection", () => (connections += 1));
  if (!server.listening) await once(server, "listening");
});
beforeEach(() => {
  agent?.destroy();
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
  connections = 0;
});
afterAll(() => {
  agent?.destroy();
  server?.close();
});

/** One request on the one connection; without a declared length the body is chunked. */
async function post(path: string, body: string, declared: boolean): Promise<{ status: number; closes: boolean; text: string }> {
  const { port } = server.address() as AddressInfo;
  const headers = { "content-type": "application/json", ...(declared && { "content-length": Buffer.byteLength(body) }) };
  const sent = request({ port, path, method: "POST", agent, headers });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode ?? 0, closes: answer.headers.connection === "close", text };
}

const textOf = (bytes: number) => JSON.stringify({ text: "x".repeat(bytes - 11) });

describe.each([
  ["declared", true],
  ["chunked", false],
])("a body of %s length", (_, declared) => {
  it("is read up to the limit", async () => {
    expect(await post("/v1/length", textOf(limits.bodyBytes), declared)).toMatchObject({
      status: 200,
      text: `{"length":${limits.bodyBytes - 11}}`,
    });
    expect(await post("/v1/length", textOf(limits.bodyBytes + 1), declared)).toMatchObject({ status: 413, closes: false });
  });

  it("that was refused leaves the connection to the next request", async () => {
    for (const [path, bytes, status] of [
      ["/v1/length", 3 * limits.bodyBytes, 413],
      ["/v1/nothing", 900_000, 404],
    ] as const) {
      for (let n = 0; n < 3; n += 1) {
        expect(await post(path, textOf(bytes), declared)).toMatchObject({ status, closes: false });
        expect((await post("/v1/length", textOf(20), declared)).status).toBe(200);
      }
    }
    expect(connections).toBe(1);
  });

  it("that is far too large closes the connection, and says so", async () => {
    const answer = await post("/v1/length", textOf(2 * limits.discardedBytes), declared).catch((error: NodeJS.ErrnoException) => error);
    // The client may still be sending when the connection goes, and then sees only that.
    if (answer instanceof Error) expect(["ECONNRESET", "EPIPE"]).toContain(answer.code);
    else expect(answer).toMatchObject({ status: 413, closes: true });
  });
});
