import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { openRegistryApi } from "./registry-api.ts";

let server: Server;
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** A registry that answers with these statuses, one after the other, then always with the last. */
async function registryThatAnswers(...statuses: number[]) {
  let asked = 0;
  server = createServer((_request, response) => {
    const status = statuses[Math.min(asked++, statuses.length - 1)]!;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(status === 200 ? "[2, 1]" : JSON.stringify({ message: `said ${status}` }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { api: openRegistryApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), asked: () => asked };
}

describe("a question to the registry", () => {
  it("is asked again when a busy one fails", async () => {
    const { api, asked } = await registryThatAnswers(500, 503, 200);
    expect(await api.versions("s")).toEqual([1, 2]);
    expect(asked()).toBe(3);
  });

  it("is given up after four attempts, with what was said", async () => {
    const { api, asked } = await registryThatAnswers(500);
    await expect(api.versions("s")).rejects.toMatchObject({ name: "RegistryApiError", status: 500, message: /said 500/ });
    expect(asked()).toBe(4);
  });

  it("sets a level again when somebody else set it at the same time", async () => {
    const { api, asked } = await registryThatAnswers(409, 200);
    await api.setGlobalLevel();
    expect(asked()).toBe(2);
  });

  it("is not asked again when the answer is that it is wrong", async () => {
    const { api, asked } = await registryThatAnswers(422);
    await expect(api.versions("s")).rejects.toMatchObject({ status: 422 });
    expect(asked()).toBe(1);
  });
});
