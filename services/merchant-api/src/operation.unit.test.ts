import { z } from "@hono/zod-openapi";
import { SignJWT } from "jose";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createApp } from "./app.ts";
import { errorTable, OutageError, refuse } from "./errors.ts";
import { checkVersion, etagOf } from "./http/etag.ts";
import { RateLimiter } from "./http/rate-limit.ts";
import { operation, reply } from "./operation.ts";
import { amount, id } from "./schemas/values.ts";
import { testDeps, testMerchantId, testSecret } from "./testing/deps.ts";

afterEach(() => void vi.useRealTimers());

const echo = operation({
  method: "post",
  path: "/v1/echo/{name}",
  tag: "Test",
  summary: "Echo",
  access: { kind: "merchant", role: "operator" },
  params: z.object({ name: id }),
  query: z.object({ mood: z.enum(["good", "bad"]).optional() }),
  body: z.object({ amountMinor: amount(1), list: z.array(z.object({ sku: z.string() })).optional() }),
  replies: {
    200: { description: "Echo", schema: z.object({ name: z.string(), amountMinor: z.bigint(), now: z.number(), actor: z.string() }) },
  },
  handle: async ({ params, body, now, principal }) =>
    reply(200, { name: params.name, amountMinor: body.amountMinor, now, actor: principal.actor }),
});

const versioned = operation({
  method: "put",
  path: "/v1/thing",
  tag: "Test",
  summary: "Versioned",
  access: { kind: "merchant", role: "owner" },
  ifMatch: "required",
  replies: { 204: { description: "Done", schema: null } },
  handle: async ({ ifMatch }) => checkVersion(ifMatch, 7) ?? reply(204, null, { etag: etagOf(8) }),
});

const mine = operation({
  method: "get",
  path: "/v1/me/echo",
  tag: "Test",
  summary: "Mine",
  access: { kind: "customer" },
  replies: { 200: { description: "Who", schema: z.object({ customerId: z.string() }) } },
  handle: async ({ principal }) => reply(200, { customerId: principal.customerId }),
});

const failing = (error: Error) =>
  operation({
    method: "get",
    path: "/v1/failing",
    tag: "Test",
    summary: "Fails",
    access: { kind: "anybody" },
    replies: { 200: { description: "Never", schema: z.object({}) } },
    handle: async () => {
      throw error;
    },
  });

const devOnly = operation({
  method: "get",
  path: "/v1/dev/thing",
  tag: "Test",
  summary: "Development",
  access: { kind: "anybody" },
  replies: { 200: { description: "Ok", schema: z.object({}) } },
  developmentOnly: true,
  handle: async () => reply(200, {}),
});

const operations = [echo, versioned, mine, devOnly];

async function setup(changes: Parameters<typeof testDeps>[0] = {}) {
  const deps = await testDeps(changes);
  const app = createApp(deps, operations);
  const sign = (role: "viewer" | "operator" | "owner", ttlSeconds = 60) =>
    deps.authenticator.tokens.signMerchant({ merchantId: testMerchantId, role, sub: "ann", ttlSeconds, nowMs: Date.now() });
  const request = (path: string, init: RequestInit = {}) =>
    app.request(path, { ...init, headers: { host: "localhost:8080", ...init.headers } });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    request(path, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
  return {
    deps,
    app,
    sign,
    request,
    post,
    bearer: async (role: "viewer" | "operator" | "owner") => ({ authorization: `Bearer ${await sign(role)}` }),
  };
}

const problem = async (response: Response) =>
  (await response.json()) as { code: string; status: number; requestId: string; retryable: boolean; errors: { path: string }[] };

describe("requests", () => {
  test("parameters are decoded, amounts answered as exact integers", async () => {
    const { post, bearer } = await setup();
    const response = await post(
      `/v1/echo/${encodeURIComponent("a/b %ü")}`,
      { amountMinor: 9_007_199_254_740_991 },
      await bearer("operator"),
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ name: "a/b %ü", amountMinor: 9_007_199_254_740_991, actor: "ann" });
  });

  test("every bad field is named by its path", async () => {
    const { post, bearer } = await setup();
    const response = await post("/v1/echo/a", { amountMinor: 0.5, list: [{ sku: "a" }, { sku: 1 }] }, await bearer("operator"));
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const body = await problem(response);
    expect(body).toMatchObject({ code: "invalid_request", status: 400, retryable: false });
    expect(body.errors.map(({ path }) => path)).toEqual(["amountMinor", "list.1.sku"]);
    expect(body.requestId).toBe(response.headers.get("x-request-id"));
  });

  test("a request id is taken over when it is harmless", async () => {
    const { post } = await setup();
    expect((await post("/v1/echo/a", {}, { "x-request-id": "abc-1" })).headers.get("x-request-id")).toBe("abc-1");
    expect((await post("/v1/echo/a", {}, { "x-request-id": "<script>" })).headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each([
    ["not JSON", "{", "application/json", 400, "invalid_request"],
    ["invalid UTF-8 in JSON", new Uint8Array([0x22, 0xff, 0x22]), "application/json", 400, "invalid_request"],
    ["nested too deep", `{"amountMinor":1,"extra":${"[".repeat(5_000)}${"]".repeat(5_000)}}`, "application/json", 400, "invalid_request"],
    ["a form", "a=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"],
    ["above 1 MB", "x".repeat(1_048_577), "application/json", 413, "too_large"],
  ])("%s", async (_name, body, type, status, code) => {
    const { request, bearer } = await setup();
    const response = await request("/v1/echo/a", {
      method: "POST",
      body,
      headers: { "content-type": type, ...(await bearer("operator")) },
    });
    expect(response.status).toBe(status);
    expect((await problem(response)).code).toBe(code);
  });

  test("an unknown path is a problem document", async () => {
    const { request } = await setup();
    const response = await request("/v1/nothing");
    expect(response.status).toBe(404);
    expect((await problem(response)).code).toBe("not_found");
  });
});

describe("credentials", () => {
  test.each([
    ["none", undefined],
    ["not bearer", "Basic abc"],
    ["not a token", "Bearer a.b.c"],
    ["no algorithm", `Bearer ${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from("{}").toString("base64url")}.x`],
  ])("%s is 401", async (_name, authorization) => {
    const { post } = await setup();
    const response = await post("/v1/echo/a", { amountMinor: 1 }, authorization === undefined ? {} : { authorization });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
  });

  const token = (
    claims: Record<string, unknown>,
    options: { secret?: string; alg?: string; exp?: number | null; aud?: string | string[] } = {},
  ) => {
    const jwt = new SignJWT(claims).setProtectedHeader({ alg: options.alg ?? "HS256" }).setAudience(options.aud ?? "perkstream-merchant");
    if (options.exp !== null) jwt.setExpirationTime(options.exp ?? Math.floor(Date.now() / 1_000) + 60);
    return jwt.sign(new TextEncoder().encode(options.secret ?? testSecret));
  };
  const claims = { merchant: testMerchantId, role: "owner", sub: "ann" };

  test.each([
    ["another secret", () => token(claims, { secret: "x".repeat(32) })],
    ["another algorithm", () => token(claims, { alg: "HS512", secret: testSecret.repeat(2) })],
    ["expired", () => token(claims, { exp: 1 })],
    ["without exp", () => token(claims, { exp: null })],
    ["another audience", () => token(claims, { aud: "other" })],
    ["both audiences", () => token(claims, { aud: ["perkstream-merchant", "perkstream-customer"] })],
    ["without role", () => token({ ...claims, role: undefined })],
    ["a name that no database can hold", () => token({ ...claims, sub: "a\u0000b" })],
    ["a merchant that is no UUID", () => token({ ...claims, merchant: "m" })],
  ])("a token with %s is 401", async (_name, make) => {
    const { post } = await setup();
    expect((await post("/v1/echo/a", { amountMinor: 1 }, { authorization: `Bearer ${await make()}` })).status).toBe(401);
  });

  test("a token that held before does not hold after its end", async () => {
    const { post } = await setup();
    const exp = Math.floor(Date.now() / 1_000) + 60;
    const headers = { authorization: `Bearer ${await token(claims, { exp })}` };
    expect((await post("/v1/echo/a", { amountMinor: 1 }, headers)).status).toBe(200);
    vi.useFakeTimers({ toFake: ["Date"], now: (exp - 1) * 1_000 });
    expect((await post("/v1/echo/a", { amountMinor: 1 }, headers)).status).toBe(200);
    vi.setSystemTime(exp * 1_000);
    expect((await post("/v1/echo/a", { amountMinor: 1 }, headers)).status).toBe(401);
  });

  test("roles: viewer may not, operator and owner may", async () => {
    const { post, bearer } = await setup();
    expect((await post("/v1/echo/a", { amountMinor: 1 }, await bearer("viewer"))).status).toBe(403);
    expect((await post("/v1/echo/a", { amountMinor: 1 }, await bearer("owner"))).status).toBe(200);
  });

  test("audiences do not mix", async () => {
    const { deps, post, request, bearer } = await setup();
    const { token: customer } = await deps.authenticator.tokens.signCustomer({
      merchantId: testMerchantId,
      customerId: "c1",
      ttlSeconds: 60,
      nowMs: Date.now(),
    });
    expect((await post("/v1/echo/a", { amountMinor: 1 }, { authorization: `Bearer ${customer}` })).status).toBe(403);
    expect((await request("/v1/me/echo", { headers: await bearer("owner") })).status).toBe(403);
    expect(await (await request("/v1/me/echo", { headers: { authorization: `Bearer ${customer}` } })).json()).toEqual({ customerId: "c1" });
  });

  test("API keys: the holder's role counts; the bootstrap key opens nothing else", async () => {
    const keys = new Map([["pk_1", { id: "1", merchant: 1, merchantId: testMerchantId, role: "operator" as const, name: "till" }]]);
    const { post } = await setup({ keys });
    const response = await post("/v1/echo/a", { amountMinor: 1 }, { "x-api-key": "pk_1" });
    expect(await response.json()).toMatchObject({ actor: "till" });
    expect((await post("/v1/echo/a", { amountMinor: 1 }, { "x-api-key": "pk_2" })).status).toBe(401);
    expect((await post("/v1/echo/a", { amountMinor: 1 }, { "x-api-key": "bootstrap-key" })).status).toBe(403);
  });
});

describe("conditional writes", () => {
  test.each([
    [undefined, 428, "precondition_required"],
    ['"6"', 412, "stale_version"],
    ['W/"7"', 412, "stale_version"],
    ["7", 412, "stale_version"],
  ])("If-Match %s answers %i", async (ifMatch, status, code) => {
    const { request, bearer } = await setup();
    const response = await request("/v1/thing", {
      method: "PUT",
      headers: { ...(await bearer("owner")), ...(ifMatch === undefined ? {} : { "if-match": ifMatch }) },
    });
    expect(response.status).toBe(status);
    expect((await problem(response)).code).toBe(code);
  });

  test.each(['"7"', "*", '"6", "7"'])("If-Match %s goes on", async (ifMatch) => {
    const { request, bearer } = await setup();
    const response = await request("/v1/thing", { method: "PUT", headers: { ...(await bearer("owner")), "if-match": ifMatch } });
    expect(response.status).toBe(204);
    expect(response.headers.get("etag")).toBe('"8"');
  });
});

describe("limits, clock, host, origins", () => {
  test("more than the rate is 429 with Retry-After, per credential", async () => {
    const { request, bearer } = await setup({ rateLimiter: new RateLimiter({ perSecond: 1, burst: 2 }), clock: () => 1_700_000_000_000 });
    const headers = await bearer("owner");
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await request("/v1/me/echo", { headers })).status);
    expect(statuses).toEqual([403, 403, 429]);
    const limited = await request("/v1/me/echo", { headers });
    expect(limited.headers.get("retry-after")).toBe("1");
    expect((await problem(limited)).retryable).toBe(true);
    expect((await request("/v1/me/echo", { headers: await bearer("viewer") })).status).toBe(429); // the same sub
    expect((await request("/v1/dev/thing")).status).toBe(200);
  });

  test("Perks-Now sets the clock in development, not in production", async () => {
    const headers = { "perks-now": "2025-01-31T12:00:00+01:00" };
    const development = await setup();
    const shown = await development.post("/v1/echo/a", { amountMinor: 1 }, { ...headers, ...(await development.bearer("owner")) });
    expect(await shown.json()).toMatchObject({ now: Date.UTC(2025, 0, 31, 11) });
    const production = await setup({ mode: "production", clock: () => 5 });
    const ignored = await production.post("/v1/echo/a", { amountMinor: 1 }, { ...headers, ...(await production.bearer("owner")) });
    expect(await ignored.json()).toMatchObject({ now: 5 });
    const bad = await development.post(
      "/v1/echo/a",
      { amountMinor: 1 },
      { "perks-now": "tomorrow", ...(await development.bearer("owner")) },
    );
    expect((await problem(bad)).errors[0]?.path).toBe("Perks-Now");
  });

  test("development answers loopback hosts only", async () => {
    const { app } = await setup();
    const status = async (host: string) => (await app.request("/healthz", { headers: { host } })).status;
    expect(await status("evil.example")).toBe(403);
    expect(await status("127.0.0.1.evil.example")).toBe(403);
    for (const host of ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080"]) expect(await status(host)).toBe(200);
    const production = await setup({ mode: "production" });
    expect((await production.app.request("/healthz", { headers: { host: "api.example" } })).status).toBe(200);
  });

  test("operations under /v1/dev do not exist in production", async () => {
    expect((await (await setup()).request("/v1/dev/thing")).status).toBe(200);
    expect((await (await setup({ mode: "production" })).request("/v1/dev/thing")).status).toBe(404);
  });

  test("CORS: /v1/me for allowed origins; all paths and loopback origins in development", async () => {
    const preflight = async (mode: "development" | "production", path: string, origin: string) => {
      const { request } = await setup({ mode });
      const response = await request(path, { method: "OPTIONS", headers: { origin, "access-control-request-method": "GET" } });
      return response.headers.get("access-control-allow-origin");
    };
    expect(await preflight("production", "/v1/me/echo", "https://shop.example")).toBe("https://shop.example");
    expect(await preflight("production", "/v1/me/echo", "https://evil.example")).toBeNull();
    expect(await preflight("production", "/v1/me/echo", "http://localhost:3000")).toBeNull();
    expect(await preflight("production", "/v1/echo/a", "https://shop.example")).toBeNull();
    expect(await preflight("development", "/v1/echo/a", "http://localhost:3000")).toBe("http://localhost:3000");
    expect(await preflight("development", "/v1/echo/a", "http://localhost.evil.example")).toBeNull();
  });
});

describe("failures", () => {
  const failWith = async (error: Error) => {
    const app = createApp(await testDeps(), [failing(error)]);
    return app.request("/v1/failing", { headers: { host: "localhost" } });
  };

  test("a defect is 500 and shows nothing of the error", async () => {
    const response = await failWith(new Error("secret detail"));
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toContain("secret");
    expect(JSON.parse(text)).toMatchObject({ code: "internal", retryable: false });
  });

  test.each([
    ["an outage", new OutageError("late")],
    ["a lock that was not had in time", Object.assign(new Error("lock"), { code: "55P03" })],
    ["a lost connection", Object.assign(new Error("gone"), { code: "CONNECTION_CLOSED" })],
    ["a broker away", Object.assign(new Error("broker"), { name: "KafkaJSConnectionError" })],
  ])("%s is 503 and retryable", async (_name, error) => {
    const response = await failWith(error);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await problem(response)).toMatchObject({ code: "unavailable", retryable: true });
  });
});

describe("the error table", () => {
  test("names every status of the public interface", () => {
    const byStatus = Object.groupBy(Object.entries(errorTable), ([, { status }]) => status);
    const statuses = Object.keys(byStatus).map(Number);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 429, 500, 503, 504]);
    expect(byStatus[409]?.map(([code]) => code).toSorted()).toEqual(
      [
        "insufficient_balance",
        "not_reserved",
        "no_such_level",
        "unknown_level",
        "not_pinned",
        "not_draft",
        "invalid_transition",
        "currency_fixed",
        "id_taken",
      ].toSorted(),
    );
  });

  test("429, 503 and 504 may be sent again, nothing else", () => {
    for (const { status, retryable } of Object.values(errorTable)) expect(retryable).toBe([429, 503, 504].includes(status));
  });

  test("a refusal carries its code's status", () => {
    expect(errorTable[refuse("not_settled", "x").code].status).toBe(504);
  });
});
