import { createServer, type IncomingMessage } from "node:http";
import { afterEach, expect, it } from "vitest";
import { createRetailMerchant } from "./new-merchant.ts";

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A merchant API that answers everything alike; what it was sent is in `requests`. */
async function answering(status: number, body: object) {
  const requests: { method: string | undefined; url: string | undefined; key: unknown; body: unknown }[] = [];
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      requests.push({ method: request.method, url: request.url, key: request.headers["x-api-key"], body: JSON.parse(text) });
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { api: `http://127.0.0.1:${address.port}/`, requests };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

it("asks for a merchant with the clock that the times need", async () => {
  const { api, requests } = await answering(201, { merchantId: "m", apiKey: "k" });
  expect(await createRetailMerchant(api, "development", "manual")).toEqual({ merchantId: "m", apiKey: "k" });
  await createRetailMerchant(api, "development", "real");
  const body = { name: "Online Retail", currency: "GBP", timeZone: "Europe/London" };
  expect(requests).toEqual([
    { method: "POST", url: "/v1/merchants", key: "development", body: { ...body, clock: "manual" } },
    { method: "POST", url: "/v1/merchants", key: "development", body },
  ]);
});

it("tells what the API answered, or that it did not", async () => {
  const { api } = await answering(401, { code: "unauthenticated" });
  await expect(createRetailMerchant(api, "wrong", "manual")).rejects.toThrow(/\/v1\/merchants: 401 .*unauthenticated/);
  await expect(createRetailMerchant("http://127.0.0.1:2", "development", "manual")).rejects.toThrow(
    "does not answer: connect ECONNREFUSED",
  );
});
