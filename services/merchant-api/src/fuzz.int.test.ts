import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { errorTable } from "./errors.ts";
import { problemSchema } from "./schemas/problem.ts";
import { startApi, type Answer, type TestApi, type TestMerchant } from "./testing/api.ts";

let api: TestApi;
let shop: TestMerchant;

beforeAll(async () => {
  api = await startApi(inject("stack"));
  shop = await api.merchant();
}, 120_000);
afterAll(() => api?.stop());

const line = { sku: "a", category: "b", quantity: 1, netMinor: 100 };
const level = { id: "l1", name: "L1", threshold: 5, cashbackMultiplierBps: 12_000 };
const campaign = {
  id: "k1",
  name: "K1",
  rateBps: 250,
  startsAt: "2020-01-01T00:00:00Z",
  endsAt: "2030-01-01T00:00:00Z",
  include: { skus: ["a"], categories: null },
  exclude: { skus: [], categories: ["x"] },
  minOrderMinor: 1,
  stacking: "add",
  priority: 3,
  perOrderCapMinor: 10,
  perCustomerCap: { amountMinor: 5, period: "month" },
  budgetMinor: 1_000,
  holdDays: 1,
  expiry: { type: "days", days: 30 },
  tierMultiplier: false,
  status: "active",
};

/** Method, path, a body that would be accepted. */
const commands: readonly [string, string, object][] = [
  [
    "POST",
    "/v1/merchants",
    { name: "n", currency: "EUR", timeZone: "UTC", clawbackPolicy: "allow_negative", expiringNoticeDays: 1, clock: "manual" },
  ],
  ["PATCH", "/v1/merchant", { name: "n", timeZone: "UTC", clawbackPolicy: "allow_negative", expiringNoticeDays: 1 }],
  ["POST", "/v1/api-keys", { name: "n", role: "viewer" }],
  [
    "PUT",
    "/v1/tiers",
    {
      settings: { metric: "net_spend", window: "rolling_days", days: 30, refundPolicy: "immediate", downgrade: "one_down", graceDays: 1 },
      levels: [level],
    },
  ],
  ["POST", "/v1/tiers", level],
  ["PATCH", "/v1/tiers/l1", { name: "x", threshold: 7 }],
  ["POST", "/v1/campaigns", campaign],
  ["PATCH", "/v1/campaigns/k1", campaign],
  [
    "POST",
    "/v1/orders",
    { orderId: "o1", customerId: "c1", occurredAt: "2025-01-01T00:00:00Z", currency: "EUR", lines: [line], redemptionId: null },
  ],
  ["POST", "/v1/orders/batch", { orders: [{ orderId: "o2", customerId: "c1", lines: [line] }] }],
  ["POST", "/v1/orders/o1/refunds", { customerId: "c1", refundId: "r1", lines: [{ line: 0, netMinor: 1 }] }],
  ["POST", "/v1/orders/o1/cancel", { customerId: "c1", reason: "x" }],
  ["POST", "/v1/customers/c1/tokens", { ttlSeconds: 60 }],
  ["POST", "/v1/dev/sign-in", { merchantId: null, role: "owner", sub: "s" }],
];

const oddText = fc.constantFrom(
  "",
  "\u0000",
  "\ud800",
  "x".repeat(300),
  "1e400",
  "null",
  "__proto__",
  "2025-13-45T99:99:99Z",
  "9999-12-31T23:59:59Z",
  "🎁".repeat(64),
);
const oddNumber = fc.constantFrom(-1, 0, 0.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, Number.MAX_SAFE_INTEGER);
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  oddText,
  oddNumber,
  fc.constantFrom(null, true, [], {}, [[]], [null]),
  fc.jsonValue({ maxDepth: 3 }),
);

/** A valid body with one to three places replaced. */
const mutated = (body: object): fc.Arbitrary<unknown> => {
  const paths = pathsOf(body);
  return fc.array(fc.tuple(fc.constantFrom(...paths), oddValue), { minLength: 1, maxLength: 3 }).map((changes) => {
    const copy: unknown = structuredClone(body);
    for (const [path, value] of changes) replaceAt(copy, path, value);
    return copy;
  });
};

function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, one]) => pathsOf(one, [...path, key]));
  return path.length === 0 ? inner : [path, ...inner];
}

function replaceAt(root: unknown, path: readonly string[], value: unknown): void {
  let at = root;
  for (const key of path.slice(0, -1)) {
    if (typeof at !== "object" || at === null) return;
    at = Reflect.get(at, key);
  }
  const last = path.at(-1);
  if (typeof at === "object" && at !== null && last !== undefined) Reflect.set(at, last, value);
}

function expectSane(answer: Answer): void {
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(500);
  if (answer.status < 400) return;
  const problem = problemSchema.parse(answer.body);
  const row = errorTable[problem.code];
  expect(problem).toMatchObject({ status: answer.status, retryable: row.retryable });
  expect(row.status).toBe(answer.status);
}

const headers = fc.record({ "if-match": fc.constant("*"), "perks-now": fc.constant("2025-06-01T00:00:00Z") });
const seed = Number(process.env["PERKS_FUZZ_SEED"] ?? 20_251_123);
const numRuns = Number(process.env["PERKS_FUZZ_RUNS"] ?? 60);

describe("no body makes an internal error", () => {
  test.each(commands)(
    "%s %s",
    async (method, path, valid) => {
      const key = path === "/v1/merchants" ? { "x-api-key": "development" } : {};
      const send = key["x-api-key"] === undefined ? shop.call : api.call;
      await fc.assert(
        fc.asyncProperty(
          fc.oneof({ weight: 4, arbitrary: mutated(valid) }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) }),
          headers,
          async (body, extra) => {
            expectSane(await send(method, path, JSON.stringify(body), { ...extra, ...key }));
          },
        ),
        { seed, numRuns },
      );
    },
    120_000,
  );
});

describe("no address or header makes an internal error", () => {
  const id = fc
    .oneof(
      fc.string({ unit: "grapheme", maxLength: 70 }),
      oddText.filter((text) => text.isWellFormed()),
    )
    .map(encodeURIComponent);
  const odd = fc.string({ maxLength: 40 }).map(encodeURIComponent);
  const reads = ["/v1/merchant", "/v1/api-keys", "/v1/tiers", "/v1/campaigns", "/v1/customers", "/v1/dead-letters", "/v1/dev/counts"];
  const byId = [
    "/v1/customers/{}",
    "/v1/customers/{}/notifications",
    "/v1/customers/{}/lots",
    "/v1/customers/{}/transfers",
    "/v1/customers/{}/tier-history",
    "/v1/customers/{}/orders",
    "/v1/customers/{}/caps",
    "/v1/orders/{}",
    "/v1/campaigns/{}",
    "/v1/campaigns/{}/stats",
  ];

  test("GET with odd ids, limits and cursors", async () => {
    const path = fc.oneof(
      fc.constantFrom(...reads),
      fc.tuple(fc.constantFrom(...byId), id).map(([template, own]) => template.replace("{}", () => own)),
    );
    const cursor = fc.oneof(
      odd,
      fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString("base64url")),
    );
    const query = fc.record(
      { limit: fc.oneof(fc.constantFrom("1", "200", "201", "-1", "x"), odd), cursor, tier: odd, reason: odd, program: odd },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(path, query, async (address, parameters) => {
        const text = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
        expectSane(await shop.call("GET", `${address}?${text.join("&")}`));
      }),
      { seed, numRuns: numRuns * 4 },
    );
  }, 120_000);

  test("odd headers", async () => {
    const header = fc.string({ maxLength: 60 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, "?").trim());
    const names = ["authorization", "x-api-key", "if-match", "idempotency-key", "perks-now", "x-request-id", "content-type"];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...commands), fc.constantFrom(...names), header, async ([method, path, body], name, value) => {
        expectSane(await shop.call(method, path, JSON.stringify(body), { [name]: value }));
      }),
      { seed, numRuns: numRuns * 2 },
    );
  }, 120_000);
});
