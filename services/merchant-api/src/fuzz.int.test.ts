import { fuzz } from "@perkstream/fuzz";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { errorTable } from "./errors.ts";
import { problemSchema } from "./schemas/problem.ts";
import { startApi, type TestApi, type TestMerchant } from "./testing/api.ts";
import { openLine, type Line, type RawAnswer } from "./testing/fuzz/line.ts";
import { type ApiDocument, oddRequests, type OddRequest } from "./testing/fuzz/odd-request.ts";

const AT_ONCE = 8;

let api: TestApi;
let shop: TestMerchant;
let line: Line;

beforeAll(async () => {
  api = await startApi(inject("stack"));
  shop = await api.merchant();
  line = await openLine(api.fetch, AT_ONCE);
}, 120_000);
afterAll(async () => {
  await line?.close();
  await api?.stop();
});

const document = async (): Promise<ApiDocument> => (await api.call("GET", "/openapi.json")).body as unknown as ApiDocument;

async function knownThings() {
  const { body } = await shop.call("POST", "/v1/customers/c1/tokens", {});
  const viewer = await shop.call("POST", "/v1/api-keys", { name: "viewer", role: "viewer" });
  const owner = await shop.token("owner");
  return {
    ids: [shop.merchantId, String(viewer.body["id"])],
    credentials: [
      { authorization: `Bearer ${owner}` },
      { authorization: `Bearer ${String(body["token"])}` },
      { "x-api-key": String(viewer.body["apiKey"]) },
      { "x-api-key": "development" },
      {},
    ],
  };
}

/** Waits of development that nobody here would end: they are given a moment. */
function tamed(request: OddRequest): OddRequest {
  if (request.method !== "POST" || !/\/v1\/dev\/(settle|sweep)/.test(request.path)) return request;
  const text = new TextDecoder().decode(request.body ?? undefined); // as the API reads it, without a mark at its beginning
  try {
    const body: unknown = JSON.parse(text === "" ? "{}" : text);
    if (typeof body !== "object" || body === null || Array.isArray(body)) return request;
    const { at: _at, timeoutSeconds = null, ...rest }: { at?: unknown; timeoutSeconds?: unknown } = body;
    const waits = timeoutSeconds === null || (typeof timeoutSeconds === "number" && timeoutSeconds > 0);
    return { ...request, body: Buffer.from(JSON.stringify({ ...rest, timeoutSeconds: waits ? 0.02 : timeoutSeconds })) };
  } catch {
    return request;
  }
}

/** A refusal is a problem document with a code of the closed list; 500 is none, and 503 only for what is away. */
function complaint({ method, path, headers }: OddRequest, { status, type, requestId, text }: RawAnswer): string | null {
  const waits = /\/v1\/dev\/(settle|sweep)/.test(path);
  if (status >= 500 && !(waits && status === 504)) return "an internal error";
  if (status < 400 || method === "HEAD") return null;
  if (type !== "application/problem+json") return `the type is ${type}`;
  const { success, data: problem } = problemSchema.safeParse(JSON.parse(text));
  if (!success) return "no problem document";
  const row = errorTable[problem.code];
  if (row.status !== status || problem.status !== status) return `code ${problem.code} does not go with the status`;
  if (problem.retryable !== row.retryable) return "retryable is wrong";
  // A repeat is answered as the first one was, whose id stands in it.
  return problem.requestId === requestId || "idempotency-key" in headers ? null : "the request id is another";
}

function shown({ method, path, headers, body, chunked }: OddRequest, { status, text }: RawAnswer): string {
  const { authorization = "", ...others } = headers;
  const short = (long: string) => (long.length > 400 ? `${long.slice(0, 400)}… (${long.length})` : long);
  const lines = [
    `${method} ${short(path)}`,
    JSON.stringify(others),
    authorization.slice(0, 20),
    body === null ? "no body" : short(String(body)),
  ];
  return `${lines.join("\n")}\n${chunked ? "chunked" : ""} → ${status} ${short(text)}`;
}

test("no request makes an internal error, and right ones are answered after them", async () => {
  const requests = oddRequests(await document(), await knownThings());
  await fuzz({ name: "API", slice: 2_400, atOnce: AT_ONCE, caseMs: 20_000 }, requests, async (odd) => {
    const request = tamed(odd);
    const answer = await line.send(request);
    const wrong = complaint(request, answer);
    if (wrong !== null) throw new Error(`${wrong}: ${shown(request, answer)}`);
  });
  const order = { orderId: "after", customerId: "c1", lines: [{ sku: "a", quantity: 1, netMinor: 1 }] };
  expect((await shop.call("POST", "/v1/orders", order)).status).toBe(202);
  expect((await shop.call("GET", "/v1/merchant")).body).toMatchObject({ merchantId: shop.merchantId });
}, 3_600_000);
