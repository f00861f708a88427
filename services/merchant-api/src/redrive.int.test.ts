import { randomUUID } from "node:crypto";
import type { OrderEvent } from "@perkstream/contracts";
import { createMerchant } from "@perkstream/merchant";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { at, campaign, ladder, startSystem, type TestSystem } from "./testing/system.ts";

/* Dead letters whose cause was mended are read once more. */

let api: TestSystem;

beforeAll(async () => {
  api = await startSystem(inject("stack"));
}, 120_000);
afterAll(() => api?.stop());

const noon = (day: number) => Date.UTC(2025, 0, day, 12);
const bootstrap = { "x-api-key": "development" };

interface Letter {
  readonly id: string;
  readonly program: string;
  readonly reason: string;
  readonly partition: number;
  readonly offset: number;
  readonly redrivenAt: string | null;
  readonly event: { readonly type: string; readonly orderId: string };
}

type Call = TestSystem["call"];
type Named = { readonly merchantId: string; readonly call: Call };

const placed = (merchantId: string, orderId: string, day: number, netMinor = 10_000n, currency = "EUR"): OrderEvent => ({
  type: "OrderPlaced",
  merchantId,
  customerId: "ann",
  orderId,
  occurredAt: noon(day),
  currency,
  lines: [{ sku: "s", category: null, quantity: 1, netMinor }],
  paidWithCashbackMinor: 0n,
});

const refunded = (merchantId: string, orderId: string, day: number, netMinor: bigint): OrderEvent => ({
  type: "OrderRefunded",
  merchantId,
  customerId: "ann",
  orderId,
  refundId: `r-${orderId}`,
  occurredAt: noon(day),
  lines: [{ line: 0, netMinor }],
});

/** Events as they come from a producer of the merchant's own. */
async function produce(...events: OrderEvent[]): Promise<void> {
  for (const event of events) await api.deps.orderLog.append([event], event.occurredAt);
  await api.handle();
}

/** A merchant of that id, once it is made: with a ladder that asks 100.00 for gold, which pays twice one percent. */
async function open(merchantId: string): Promise<Named> {
  const settings = { merchantId, name: "Late", currency: "EUR", timeZone: "UTC", clock: "manual" as const };
  await api.sql.begin((tx) => createMerchant(tx, settings, { actor: "test", at: 0 }));
  const { body } = await api.call("POST", "/v1/dev/sign-in", { merchantId });
  const call: Call = (method, path, sent, headers) =>
    api.call(method, path, sent, { authorization: `Bearer ${String(body["token"])}`, ...headers });
  await call("PUT", "/v1/tiers", ladder, { "if-match": "*", ...at(1) });
  await call("POST", "/v1/campaigns", campaign, at(1));
  return { merchantId, call };
}

async function lettersOf({ call }: Named, query = ""): Promise<Letter[]> {
  return (await call("GET", `/v1/dead-letters?limit=200${query}`)).body["data"] as Letter[];
}

/** Those of an event, the tier program's first. Offsets are the drivers' own: other tests write to the topic too. */
async function lettersAbout(shop: Named, orderId: string, type = "OrderPlaced"): Promise<Letter[]> {
  const all = (await lettersOf(shop)).filter(({ event }) => event.orderId === orderId && event.type === type);
  return all.toSorted((a, b) => (a.program < b.program ? 1 : -1));
}

const redrive = ({ call }: Named, id: string) => call("POST", `/v1/dead-letters/${id}/redrive`);

const awardsOf = async ({ call }: Named, orderId: string) => {
  const { body } = await call("GET", `/v1/orders/${orderId}`);
  const awards = (body["awards"] ?? []) as { awardedMinor: number; currentMinor: number; multiplierBps: number }[];
  return { tier: body["tier"], ...awards[0] };
};

describe("orders of a merchant that did not exist", () => {
  const merchantId = randomUUID();
  let shop: Named;

  test("are dead letters of nobody until it does, and then its own", async () => {
    await produce(placed(merchantId, "o1", 2), placed(merchantId, "o2", 3), refunded(merchantId, "o2", 4, 5_000n));
    const { body } = await api.call("GET", "/v1/dead-letters?merchant=none", undefined, bootstrap);
    const ofNobody = (body["data"] as (Letter & { key: string })[]).filter(({ key }) => key.startsWith(merchantId));
    expect(ofNobody).toHaveLength(6);
    expect((await redrive({ merchantId, call: (m, p, b) => api.call(m, p, b, bootstrap) }, ofNobody[0]!.id)).status).toBe(202);
    shop = await open(merchantId);
    const [first] = await lettersOf(shop);
    expect((await api.call("POST", `/v1/dead-letters/${first!.id}/redrive`, undefined, bootstrap)).status).toBe(404);
    expect((await redrive(await open(randomUUID()), first!.id)).status).toBe(404);
    expect((await redrive(shop, randomUUID())).status).toBe(404);
  });

  test("are counted in both programs, each with the level before it", async () => {
    const [tierLetter, cashbackLetter] = await lettersAbout(shop, "o1");
    const { partition, offset } = tierLetter!;
    const answer = await redrive(shop, tierLetter!.id);
    expect(answer).toMatchObject({ status: 202, body: { topic: "orders.v1", partition, offset } });
    expect(await awardsOf(shop, "o1")).toMatchObject({ tier: { before: null, after: "gold" }, awardedMinor: 100, multiplierBps: 10_000 });
    await redrive(shop, (await lettersAbout(shop, "o2"))[1]!.id);
    expect(await awardsOf(shop, "o2")).toMatchObject({ tier: { before: "gold", after: "gold" }, awardedMinor: 200, multiplierBps: 20_000 });
    expect(await lettersAbout(shop, "o1")).toMatchObject([
      { id: tierLetter!.id, redrivenAt: expect.any(String) as string },
      { id: cashbackLetter!.id, redrivenAt: expect.any(String) as string },
    ]);
    expect((await shop.call("GET", "/v1/customers/ann/orders")).body["data"]).toHaveLength(2);
  });

  test("and their refunds", async () => {
    const [last] = await lettersAbout(shop, "o2", "OrderRefunded");
    await redrive(shop, last!.id);
    expect(await awardsOf(shop, "o2")).toMatchObject({ awardedMinor: 200, currentMinor: 100 });
    expect((await shop.call("GET", "/v1/customers/ann", undefined, at(5))).body).toMatchObject({
      metric: 15_000,
      tier: { id: "gold", since: "2025-01-02T12:00:00.000Z" },
      cashback: { availableMinor: 200 },
    });
    expect((await shop.call("GET", "/v1/customers/ann/transfers")).body["data"]).toMatchObject([
      { kind: "clawback", cause: { topic: "orders.v1", partition: last!.partition, offset: last!.offset } },
      { kind: "award", orderId: "o2" },
      { kind: "award", orderId: "o1" },
    ]);
  });

  test("once: what is redriven again is a duplicate", async () => {
    const before = (await shop.call("GET", "/v1/dev/counts")).body;
    for (const { id } of await lettersOf(shop)) expect((await redrive(shop, id)).status).toBe(202);
    expect((await shop.call("GET", "/v1/customers/ann", undefined, at(5))).body).toMatchObject({ metric: 15_000 });
    const after = (await shop.call("GET", "/v1/dev/counts")).body as { tier: { events: number; duplicates: number } };
    const counted = before as typeof after;
    expect(after.tier.duplicates).toBeGreaterThan(counted.tier.duplicates);
    expect(after.tier.events).toBe(counted.tier.events);
  });

  test("tell the customer, with ids of their own coordinates", async () => {
    const notices = await api.sql<{ id: string }[]>`
      SELECT id FROM tier.outbox WHERE key = ${`${merchantId}:ann`} UNION ALL SELECT id FROM cashback.outbox WHERE key = ${`${merchantId}:ann`}`;
    // One TierChanged, two CashbackEarned, one CashbackReversed.
    expect(new Set(notices.map(({ id }) => id)).size).toBe(4);
    expect(notices).toHaveLength(4);
  });
});

describe("a dead letter whose cause is not mended", () => {
  test("makes another one with the same coordinates", async () => {
    const shop = await open(randomUUID());
    await produce(placed(shop.merchantId, "yen", 2, 100n, "JPY"));
    const [first] = await lettersAbout(shop, "yen");
    await redrive(shop, first!.id);
    const letters = await lettersAbout(shop, "yen");
    expect(letters).toHaveLength(4);
    expect(letters.filter(({ redrivenAt }) => redrivenAt === null).map(({ program, reason }) => [program, reason])).toEqual([
      ["tier", "currency_mismatch"],
      ["cashback", "currency_mismatch"],
    ]);
    expect((await shop.call("GET", "/v1/orders/yen")).status).toBe(404);
  });

  test("waits for its order like any refund before it", async () => {
    const merchantId = randomUUID();
    await produce(refunded(merchantId, "late", 3, 10_000n), placed(merchantId, "late", 2));
    const shop = await open(merchantId);
    await redrive(shop, (await lettersAbout(shop, "late", "OrderRefunded"))[0]!.id);
    expect((await shop.call("GET", "/v1/dev/counts")).body).toMatchObject({ tier: { parked: 1 }, cashback: { parked: 1 } });
    await redrive(shop, (await lettersAbout(shop, "late"))[0]!.id);
    expect((await shop.call("GET", "/v1/dev/counts")).body).toMatchObject({ tier: { parked: 0 }, cashback: { parked: 0 } });
    expect(await awardsOf(shop, "late")).toMatchObject({ awardedMinor: 100, currentMinor: 0 });
  });
});

describe("a record that only cashback refused", () => {
  test("is paid by the level that tier stored with it, also after changes of the ladder", async () => {
    const shop = await open(randomUUID());
    await produce(placed(shop.merchantId, "lift", 2), placed(shop.merchantId, "lost", 3));
    const merchant = (await api.sql<{ id: number }[]>`SELECT id FROM merchant.merchant WHERE merchant_id = ${shop.merchantId}`)[0]!.id;
    // As if cashback had failed at it: without a trace but for the dead letter.
    await api.sql`DELETE FROM cashback.transfer WHERE acct IN (SELECT acct FROM cashback."order" WHERE merchant = ${merchant} AND order_id = 'lost')`;
    const row =
      await api.sql`SELECT part, off::int AS off, payload, record_at FROM cashback."order" WHERE merchant = ${merchant} AND order_id = 'lost'`;
    await api.sql`DELETE FROM cashback."order" WHERE merchant = ${merchant} AND order_id = 'lost'`;
    const { part: partition, off: offset } = row[0] as unknown as { part: number; off: number };
    await api.sql`INSERT INTO cashback.dead_letter (topic, part, off, record_at, key, value, headers, scope, reason, message)
      VALUES ('orders.v1', ${partition}, ${offset}, ${row[0]!["record_at"]}, ${Buffer.from(`${shop.merchantId}:ann`)}, ${row[0]!["payload"]}, '{}',
        ${shop.merchantId}::uuid, 'program_error', 'it failed')`;
    const poor = { ...ladder, levels: [{ id: "poor", name: "Poor", threshold: 0, cashbackMultiplierBps: 5_000 }] };
    await shop.call("PUT", "/v1/tiers", poor, { "if-match": "*", ...at(4) });
    const [letter] = await lettersAbout(shop, "lost");
    expect((await redrive(shop, letter!.id)).status).toBe(202);
    expect(await awardsOf(shop, "lost")).toMatchObject({ tier: { before: "gold" }, awardedMinor: 200, multiplierBps: 20_000 });
    const [step] =
      await api.sql`SELECT detail FROM cashback.applied WHERE part = ${partition} AND kind = 'redrive' AND (detail ->> 'offset')::int = ${offset}`;
    expect(step).toMatchObject({ detail: { result: "applied", levelId: "gold", multiplierBps: 20_000, topic: "orders.v1", partition } });
    expect(
      await api.sql`SELECT 1 FROM tier.applied WHERE kind = 'redrive' AND part = ${partition} AND (detail ->> 'offset')::int = ${offset}`,
    ).toEqual([]);
  });
});

describe("a record that is redriven while orders flow", () => {
  test("takes its place among them", async () => {
    const merchantId = randomUUID();
    await produce(placed(merchantId, "before", 2));
    const shop = await open(merchantId);
    const [letter] = await lettersAbout(shop, "before");
    const flowing = (async () => {
      for (let day = 3; day < 23; day++) await produce(placed(merchantId, `live-${day}`, day, 1_000n));
    })();
    await expect.poll(async () => (await shop.call("GET", "/v1/orders/live-5")).status, { interval: 5, timeout: 20_000 }).toBe(200);
    const answers = await Promise.all([1, 2, 3].map(() => redrive(shop, letter!.id)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    await flowing;
    const { body } = await shop.call("GET", "/v1/customers/ann", undefined, at(23));
    expect(body).toMatchObject({ metric: 30_000, tier: { id: "gold" } });
    // What tier says was held before an order is what cashback paid it by.
    let paid = 0;
    for (const orderId of ["before", ...Array.from({ length: 20 }, (_, i) => `live-${i + 3}`)]) {
      const { tier, multiplierBps, awardedMinor } = await awardsOf(shop, orderId);
      expect(multiplierBps).toBe((tier as { before: string | null }).before === "gold" ? 20_000 : 10_000);
      paid += awardedMinor ?? 0;
    }
    expect(body).toMatchObject({ cashback: { availableMinor: paid } });
  });
});
