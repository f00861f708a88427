import { expect } from "vitest";
import { type Answer, type CallOptions, Client } from "../../play/client.ts";

/* A client of the merchant API as somebody has it who knows only its texts (docs/merchant-api.md). */

export interface Position {
  readonly partition: number;
  readonly offset: number;
}

/** A merchant of a test's own. */
export interface Shop {
  readonly merchantId: string;
  /** With the owner's key. */
  send(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** As `send`, and the answer must have this status. */
  ok<T>(status: number, method: string, path: string, options?: CallOptions): Promise<T>;
  get<T>(path: string, now?: string): Promise<T>;
  /** All rows of a short list, newest first. */
  list<T = Record<string, unknown>>(path: string): Promise<T[]>;
  as(role: string, sub?: string): Promise<Client>;
  settle(...positions: readonly Position[]): Promise<void>;
}

export const bootstrapOf = (origin: string): Client => new Client(origin, { "x-api-key": "development" });

/** USD and UTC with a clock that only the test moves, unless the settings say otherwise. */
export async function openShop(origin: string, settings: object = {}): Promise<Shop> {
  const body = { name: "Interface", currency: "USD", timeZone: "UTC", clock: "manual", ...settings };
  const made = await bootstrapOf(origin).call<{ merchantId: string; apiKey: string }>("POST", "/v1/merchants", [201], { body });
  const { merchantId } = made;
  const owner = new Client(origin, { "x-api-key": made.apiKey });
  const ok: Shop["ok"] = (status, method, path, options) => owner.call(method, path, [status], options);
  return {
    merchantId,
    send: (method, path, options) => owner.send(method, path, options),
    ok,
    get: (path, now) => ok(200, "GET", path, now === undefined ? {} : { now }),
    async list<T>(path: string) {
      const { data, nextCursor } = await ok<{ data: T[]; nextCursor: string | null }>(200, "GET", path);
      expect(nextCursor).toBeNull();
      return data;
    },
    async as(role, sub) {
      const signIn = { merchantId, role, ...(sub !== undefined && { sub }) };
      const { token } = await new Client(origin, {}).call<{ token: string }>("POST", "/v1/dev/sign-in", [200], { body: signIn });
      return new Client(origin, { authorization: `Bearer ${token}` });
    },
    async settle(...positions) {
      expect(await ok(200, "POST", "/v1/dev/settle", { body: { positions, timeoutSeconds: 60 } })).toEqual({});
    },
  };
}

export const noon = (date: string): string => `${date}T12:00:00Z`;
export const ifMatch = (version: number): Record<string, string> => ({ "if-match": `"${version}"` });
export const enc = encodeURIComponent;
export const keysOf = (value: unknown): string[] => Object.keys(value as object).toSorted();

const start = noon("2025-01-01");

/** Base from 0, Gold from 100.00 with one and a half times the cashback. */
export const twoLevels = {
  settings: {
    metric: "net_spend",
    window: "rolling_days",
    days: 365,
    refundPolicy: "immediate",
    downgrade: "drop_to_qualified",
    graceDays: 0,
  },
  levels: [
    { id: "base", name: "Base", threshold: 0, cashbackMultiplierBps: 10_000 },
    { id: "gold", name: "Gold", threshold: 10_000, cashbackMultiplierBps: 15_000 },
  ],
};

export async function putLadder(shop: Shop, body: object, version = 0, now = start): Promise<void> {
  await shop.ok(200, "PUT", "/v1/tiers", { body, headers: ifMatch(version), now });
}

export async function addCampaign(shop: Shop, campaign: object): Promise<void> {
  await shop.ok(201, "POST", "/v1/campaigns", { body: { status: "active", ...campaign }, now: start });
}

interface Purchase {
  readonly customerId: string;
  readonly orderId: string;
  readonly netMinor: number;
  readonly now: string;
  readonly redemptionId?: string;
}

/** Sends an order of one line. */
export function order(shop: Shop, { netMinor, now, ...named }: Purchase): Promise<Answer> {
  return shop.send("POST", "/v1/orders", { body: { ...named, lines: [{ sku: "a", quantity: 1, netMinor }] }, now });
}

/** Sends an order of one line and waits until it is counted. */
export async function buy(shop: Shop, purchase: Purchase): Promise<Position> {
  const { status, body } = await order(shop, purchase);
  expect(status).toBe(202);
  await shop.settle(body as Position);
  return body as Position;
}

/** The answer is this problem, with all its fields and no others. */
export function expectProblem({ status, headers, body }: Answer, wanted: number, code: string, retryable = false): void {
  expect({ status, code: (body as { code?: string } | null)?.code }).toEqual({ status: wanted, code });
  expect(headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(keysOf(body)).toEqual(["code", "detail", "errors", "requestId", "retryable", "status", "title", "type"]);
  expect(body).toMatchObject({ status: wanted, retryable, requestId: headers.get("x-request-id") });
}
