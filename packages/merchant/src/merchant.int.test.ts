import { openSql, type Sql, type Tx } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import {
  beginIdempotent,
  findIdempotent,
  createApiKey,
  createMerchant,
  createMerchantCache,
  currentSettings,
  findApiKey,
  findMerchant,
  finishIdempotent,
  KEPT_MS,
  forgetOld,
  listApiKeys,
  listAudit,
  loadMerchants,
  loadMerchantsById,
  type Merchant,
  migrations,
  orderTimes,
  revokeApiKey,
  settingsAt,
  touchApiKey,
  updateSettings,
  writeAudit,
} from "./index.ts";

const NOW = Date.UTC(2025, 0, 10, 12);
const HOUR = 3_600_000;
const act = { actor: "owner", at: NOW };

let database: TestDatabase;
let sql: Sql;
let owner: Sql;

beforeAll(async () => {
  database = await testDatabase(inject("stack").postgresUrl, [migrations]);
  sql = openSql(database.url, { max: 4, applicationName: "merchant-test", lockTimeoutMs: 20_000, role: "perkstream_api" });
  owner = openSql(database.url, { max: 1, applicationName: "merchant-owner" });
});

afterAll(async () => {
  await Promise.all([sql.end(), owner.end()]);
  await database.drop();
});

async function shop(over: { merchantId?: string } = {}): Promise<Merchant> {
  const merchant = await createMerchant(sql, { name: "Shop", currency: "USD", timeZone: "UTC", ...over }, act);
  if (merchant === null) throw new Error("the id is taken");
  return merchant;
}

describe("merchants", () => {
  it("are created with defaults that hold from the first offset", async () => {
    const merchant = await shop();
    expect(merchant).toMatchObject({ name: "Shop", clock: "real" });
    expect(settingsAt(merchant, 11, 0)).toMatchObject({
      currency: "USD",
      timeZone: "UTC",
      clawbackPolicy: "allow_negative",
      expiringNoticeDays: 0,
    });
    expect(await findMerchant(sql, merchant.merchantId)).toEqual(merchant);
    expect((await loadMerchantsById(sql, [merchant.id])).get(merchant.id)).toEqual(merchant);
  });

  it("a taken id makes no second one", async () => {
    const { merchantId } = await shop();
    expect(await createMerchant(sql, { merchantId, name: "Other", currency: "EUR", timeZone: "UTC" }, act)).toBeNull();
    expect((await findMerchant(sql, merchantId))?.name).toBe("Shop");
  });

  it("are asked of the database each time while they are unknown", async () => {
    const cache = createMerchantCache();
    const merchantId = randomUUID();
    expect((await loadMerchants(sql, [merchantId, "no-uuid", ""], cache)).size).toBe(0);
    await shop({ merchantId });
    expect((await loadMerchants(sql, [merchantId, merchantId], cache)).get(merchantId)?.name).toBe("Shop");
  });

  it("are read again only when something changed", async () => {
    const cache = createMerchantCache();
    const { merchantId } = await shop();
    const first = (await loadMerchants(sql, [merchantId], cache)).get(merchantId);
    const again = (await loadMerchants(sql, [merchantId], cache)).get(merchantId);
    expect(again).toBe(first);
    await updateSettings(sql, merchantId, { name: "Renamed" }, { shared: [], cashback: [] }, act);
    const changed = (await loadMerchants(sql, [merchantId], cache)).get(merchantId);
    expect(changed).toMatchObject({ name: "Renamed" });
    expect(changed?.versions).toHaveLength(1);
  });

  it("that were read in a transaction which rolled back are unknown afterwards", async () => {
    const cache = createMerchantCache();
    const merchantId = randomUUID();
    const rolledBack = sql.begin(async (tx: Tx) => {
      await createMerchant(tx, { merchantId, name: "Gone", currency: "USD", timeZone: "UTC" }, act);
      expect((await loadMerchants(tx, [merchantId], cache)).size).toBe(1);
      throw new Error("rolled back");
    });
    await expect(rolledBack).rejects.toThrow("rolled back");
    expect((await loadMerchants(sql, [merchantId], cache)).size).toBe(0);
  });
});

describe("settings", () => {
  it("hold from the offsets of the partition, the shared ones apart from cashback's", async () => {
    const { merchantId } = await shop();
    const change = { timeZone: "Europe/London", clawbackPolicy: "clamp_to_zero", expiringNoticeDays: 7 } as const;
    const merchant = await updateSettings(sql, merchantId, change, { shared: [10, 20], cashback: [5, 20] }, act);
    if (merchant === null) throw new Error("no merchant");
    expect(settingsAt(merchant, 0, 4)).toMatchObject({ timeZone: "UTC", clawbackPolicy: "allow_negative", expiringNoticeDays: 0 });
    expect(settingsAt(merchant, 0, 5)).toMatchObject({ timeZone: "UTC", clawbackPolicy: "clamp_to_zero", expiringNoticeDays: 7 });
    expect(settingsAt(merchant, 0, 10)).toMatchObject({ timeZone: "Europe/London", clawbackPolicy: "clamp_to_zero" });
    expect(settingsAt(merchant, 1, 19)).toMatchObject({ timeZone: "UTC", clawbackPolicy: "allow_negative" });
    expect(currentSettings(merchant)).toMatchObject({ version: 2, currency: "USD", ...change });
  });

  it("of a merchant that does not exist cannot be changed", async () => {
    expect(await updateSettings(sql, randomUUID(), { name: "x" }, { shared: [], cashback: [] }, act)).toBeNull();
  });
});

describe("API keys", () => {
  it("are found by their hash until they are revoked", async () => {
    const merchant = await shop();
    const { key, secret } = await createApiKey(sql, merchant.id, { name: "till", role: "operator" }, NOW);
    expect(await findApiKey(sql, secret)).toEqual({
      id: key.id,
      name: "till",
      role: "operator",
      merchant: merchant.id,
      merchantId: merchant.merchantId,
    });
    expect(await findApiKey(sql, `${secret}x`)).toBeNull();
    const kept = await sql`SELECT hash FROM merchant.api_key WHERE id = ${key.id}`;
    expect(JSON.stringify(kept)).not.toContain(secret);

    const other = await shop();
    expect(await revokeApiKey(sql, other.id, key.id, { at: NOW })).toBe(false);
    expect(await revokeApiKey(sql, merchant.id, "no-such-key", { at: NOW })).toBe(false);
    expect(await revokeApiKey(sql, merchant.id, key.id, { at: NOW + 1 })).toBe(true);
    expect(await findApiKey(sql, secret)).toBeNull();
    expect(await revokeApiKey(sql, merchant.id, key.id, { at: NOW + 2 })).toBe(true);
    expect((await listApiKeys(sql, merchant.id))[0]?.revokedAt).toBe(NOW + 1);
  });

  it("note their last use once a minute", async () => {
    const merchant = await shop();
    const { key } = await createApiKey(sql, merchant.id, { name: "till", role: "viewer" }, NOW);
    const lastUse = async () => (await listApiKeys(sql, merchant.id))[0]?.lastUsedAt;
    expect(await lastUse()).toBeNull();
    await touchApiKey(sql, key.id, NOW);
    await touchApiKey(sql, key.id, NOW + 59_999);
    expect(await lastUse()).toBe(NOW);
    await touchApiKey(sql, key.id, NOW + 60_000);
    expect(await lastUse()).toBe(NOW + 60_000);
  });
});

describe("the audit log", () => {
  it("is read newest first, by cursor, per merchant", async () => {
    const [merchant, other] = [await shop(), await shop()];
    for (let i = 1; i <= 5; i++) {
      await writeAudit(sql, merchant.id, {
        at: NOW + i,
        actor: "owner",
        requestId: `r${i}`,
        action: "tiers.put",
        target: null,
        before: { n: i - 1 },
        after: { n: i },
      });
    }
    await writeAudit(sql, other.id, { at: NOW, actor: "x", requestId: "r", action: "a", target: 'c"1', before: null, after: [1n] });
    const first = await listAudit(sql, merchant.id, { cursor: null, limit: 3 });
    const second = await listAudit(sql, merchant.id, { cursor: first.nextCursor, limit: 3 });
    expect([...first.data, ...second.data].map(({ requestId }) => requestId)).toEqual(["r5", "r4", "r3", "r2", "r1"]);
    expect(second.nextCursor).toBeNull();
    expect(first.data[0]).toEqual({
      at: NOW + 5,
      actor: "owner",
      requestId: "r5",
      action: "tiers.put",
      target: null,
      before: { n: 4 },
      after: { n: 5 },
    });
    expect((await listAudit(sql, other.id, { cursor: null, limit: 3 })).data[0]).toMatchObject({ target: 'c"1', before: null, after: [1] });
  });
});

describe("idempotency", () => {
  const scopeOf = (key: string) => ({ credential: "key:1", method: "POST", path: "/v1/redemptions", key });
  const answer = { status: 201, headers: { etag: '"1"' }, body: '{"b":1, "a":2}' };

  it("a repeat gets the same answer, another body none", async () => {
    const scope = scopeOf(randomUUID());
    await sql.begin(async (tx) => {
      expect(await beginIdempotent(tx, scope, "{}", NOW)).toEqual({ kind: "first" });
      await finishIdempotent(tx, scope, answer);
    });
    await sql.begin(async (tx) => {
      expect(await beginIdempotent(tx, scope, "{}", NOW)).toEqual({ kind: "repeat", answer });
      expect(await beginIdempotent(tx, scope, "{ }", NOW)).toEqual({ kind: "reused" });
      expect(await findIdempotent(tx, scope, "{}", NOW)).toEqual({ kind: "repeat", answer });
      expect(await findIdempotent(tx, scope, "{ }", NOW)).toEqual({ kind: "reused" });
      expect(await findIdempotent(tx, scope, "{}", NOW + KEPT_MS + 1)).toEqual({ kind: "first" });
      expect(await findIdempotent(tx, scopeOf(randomUUID()), "{}", NOW)).toEqual({ kind: "first" });
      for (const other of [
        { ...scope, credential: "key:2" },
        { ...scope, path: "/v1/orders" },
        { ...scope, method: "PUT" },
      ]) {
        expect(await beginIdempotent(tx, other, "{ }", NOW)).toEqual({ kind: "first" });
        await finishIdempotent(tx, other, answer);
      }
    });
  });

  it("a repeat that comes while the first runs waits for its answer", async () => {
    const scope = scopeOf(randomUUID());
    const claimed = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const first = sql.begin(async (tx) => {
      await tx.unsafe("SET LOCAL idle_in_transaction_session_timeout = 0");
      await beginIdempotent(tx, scope, "{}", NOW);
      claimed.resolve();
      await go.promise;
      await finishIdempotent(tx, scope, answer);
    });
    await claimed.promise;
    expect(await findIdempotent(sql, scope, "{}", NOW)).toEqual({ kind: "first" });
    const repeat = sql.begin((tx) => beginIdempotent(tx, scope, "{}", NOW));
    await expect
      .poll(
        async () => (await owner`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`).length,
      )
      .toBe(1);
    go.resolve();
    await first;
    expect(await repeat).toEqual({ kind: "repeat", answer });
  });

  it("when the first rolls back the one that waited is the first", async () => {
    const scope = scopeOf(randomUUID());
    const claimed = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const first = sql.begin(async (tx) => {
      await beginIdempotent(tx, scope, "{}", NOW);
      claimed.resolve();
      await go.promise;
      throw new Error("503");
    });
    await claimed.promise;
    const second = sql.begin(async (tx) => {
      const start = await beginIdempotent(tx, scope, "{}", NOW);
      await finishIdempotent(tx, scope, answer);
      return start;
    });
    go.resolve();
    await expect(first).rejects.toThrow("503");
    expect(await second).toEqual({ kind: "first" });
  });

  it("is forgotten after a day", async () => {
    const scope = scopeOf(randomUUID());
    const run = (at: number) =>
      sql.begin(async (tx) => {
        const start = await beginIdempotent(tx, scope, "{}", at);
        if (start.kind === "first") await finishIdempotent(tx, scope, answer);
        return start.kind;
      });
    expect([await run(NOW), await run(NOW + 24 * HOUR), await run(NOW + 24 * HOUR + 1), await run(NOW + 25 * HOUR)]).toEqual([
      "first",
      "repeat",
      "first",
      "repeat",
    ]);
    expect(await forgetOld(sql, NOW + 49 * HOUR)).toBeGreaterThan(0);
    expect(await run(NOW + 25 * HOUR)).toBe("first");
  });
});

describe("order times", () => {
  it("the first time of an order id is used again within a day", async () => {
    const { id } = await shop();
    const times = async (orders: { orderId: string; occurredAt: number | null }[], at: number) =>
      Object.fromEntries(await orderTimes(sql, id, orders, at));
    expect(
      await times(
        [
          { orderId: "a", occurredAt: null },
          { orderId: 'b",{}', occurredAt: 5 },
          { orderId: "a", occurredAt: null },
        ],
        NOW,
      ),
    ).toEqual({ a: NOW, 'b",{}': 5 });
    expect(
      await times(
        [
          { orderId: 'b",{}', occurredAt: null },
          { orderId: "a", occurredAt: null },
        ],
        NOW + HOUR,
      ),
    ).toEqual({ a: NOW, 'b",{}': 5 });
    expect(await times([{ orderId: "a", occurredAt: 7 }], NOW + HOUR)).toEqual({ a: 7 });
    expect(await times([{ orderId: "a", occurredAt: null }], NOW + 25 * HOUR)).toEqual({ a: NOW + 25 * HOUR });
    expect(await times([], NOW)).toEqual({});
  });
});
