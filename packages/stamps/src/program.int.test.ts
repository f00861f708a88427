import type { OrderEvent } from "@perkstream/contracts";
import type { Driver } from "@perkstream/program";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { customerCards } from "./queries.ts";
import { cancelled, NOON, placed, refunded } from "./testing/events.ts";
import { openStage, recordOf } from "./testing/stage.ts";

let stage: Awaited<ReturnType<typeof openStage>>;

beforeAll(async () => {
  stage = await openStage(inject("stack").postgresUrl);
}, 60_000);
afterAll(() => stage?.close());

const feed = (driver: Driver, merchantId: string, events: readonly OrderEvent[], chunkSize?: number) =>
  driver.feed(
    events.map((event) => recordOf(event, merchantId)),
    chunkSize,
  );
const results = (driver: Driver) => driver.outcomes.map(({ result }) => (typeof result === "string" ? result : result.rejected.reason));

/** All rows of a merchant without what differs from one to the next, and what customers were told. */
async function rowsOf(merchant: number, merchantId: string, driver: Driver) {
  const orders =
    await stage.sql`SELECT order_id, counted, remaining, cancelled FROM stamps."order" WHERE merchant = ${merchant} ORDER BY order_id`;
  const sheets = await stage.sql`
    SELECT a.customer_id, s.card_id, s.units, s.rewards FROM stamps.sheet s JOIN stamps.account a USING (acct)
    WHERE a.merchant = ${merchant} ORDER BY a.customer_id, s.card_id`;
  const parked = await stage.sql`SELECT order_id FROM stamps.parked WHERE merchant = ${merchant} ORDER BY id`;
  const told = driver.notices.filter(({ key }) => key.startsWith(merchantId)).length;
  return { orders: [...orders], sheets: [...sheets], parked: [...parked], told, dead: driver.deadLetters.map(({ reason }) => reason) };
}

const story: readonly OrderEvent[] = [
  refunded("o2", "r1", [[0, 100]]),
  placed("o1", [["coffee", 2, 200]]),
  placed("o2", [["coffee", 3, 300]]),
  { ...placed("b1", [["coffee", 8, 80]]), customerId: "ben" },
  placed("o1", [["coffee", 2, 200]]),
  placed("o3", [
    ["tea", 2, 200],
    ["coffee", 1, 55],
  ]),
  refunded("o2", "r2", [[0, 999]]),
  { ...cancelled("b1"), customerId: "ben" },
  cancelled("o9"),
  placed("o4", [["coffee", 4, 403]]),
];

describe("the same log in chunks of any size", () => {
  it("leaves the same rows and tells the same", async () => {
    const seen = [];
    for (const chunkSize of [1, 2, 3, story.length]) {
      const driver = await stage.start();
      const { id, merchantId } = await stage.merchant();
      await stage.putCard(merchantId);
      await stage.putCard(merchantId, { id: "tea", category: "tea", size: 1 });
      await feed(driver, merchantId, story, chunkSize);
      expect(results(driver)).toEqual([
        "parked",
        "applied",
        "applied",
        "applied",
        "duplicate",
        "applied",
        "refund_exceeds_order",
        "applied",
        "parked",
        "applied",
      ]);
      seen.push(await rowsOf(id, merchantId, driver));
    }
    expect(seen[0]).toMatchObject({
      sheets: [
        { customer_id: "ann", card_id: "coffee", units: "{9}", rewards: 2n },
        { customer_id: "ann", card_id: "tea", units: "{2}", rewards: 1n },
        { customer_id: "ben", card_id: "coffee", units: "{0}", rewards: 2n },
      ],
      parked: [{ order_id: "o9" }],
      dead: ["refund_exceeds_order"],
    });
    for (const other of seen) expect(other).toEqual(seen[0]);
  });

  it("after a restart too: nothing is cached that matters", async () => {
    const { merchantId } = await stage.merchant();
    const first = await stage.start();
    await stage.putCard(merchantId);
    await feed(first, merchantId, [placed("o1", [["coffee", 3, 300]])]);
    const second = await stage.start();
    await feed(second, merchantId, [placed("o1", [["coffee", 3, 300]]), placed("o2", [["coffee", 1, 120]])]);
    expect(results(second)).toEqual(["duplicate", "applied"]);
    expect(second.notices).toHaveLength(1);
  });
});

describe("a card", () => {
  it("counts what is read after it was made, by the version that then holds", async () => {
    const merchant = await stage.merchant();
    const { merchantId } = merchant;
    const driver = await stage.start();
    const seen = async () =>
      (await customerCards(stage.sql, merchant, "ann"))?.map(({ name, stamps, size, rewards }) => [name, stamps, size, rewards]);
    await feed(driver, merchantId, [placed("o0", [["coffee", 3, 300]])]);
    expect(await seen()).toBeUndefined();
    await stage.putCard(merchantId);
    await feed(driver, merchantId, [placed("o1", [["coffee", 3, 300]])]);
    expect(await seen()).toEqual([["Coffee", 3, 3, 0]]);
    await stage.putCard(merchantId, { name: "Tea now", category: "tea", size: 2 });
    expect(await seen()).toEqual([["Tea now", 2, 2, 0]]);
    await feed(driver, merchantId, [placed("o2", [["coffee", 9, 900]]), placed("o3", [["tea", 2, 200]])]);
    expect(await seen()).toEqual([["Tea now", 1, 2, 1]]);
    await feed(driver, merchantId, [cancelled("o1")]);
    expect(await seen()).toEqual([["Tea now", 2, 2, 1]]);
    const steps = await stage.sql`SELECT kind, as_of, detail FROM stamps.applied WHERE detail->>'merchantId' = ${merchantId} ORDER BY n`;
    expect(steps).toMatchObject([
      { kind: "card", detail: { cardId: "coffee", version: 1 } },
      { kind: "card", detail: { cardId: "coffee", version: 2 } },
    ]);
  });
});

describe("what cannot be applied", () => {
  it("is a dead letter of a merchant with cards, and nothing to one without", async () => {
    const [withCard, without] = [await stage.merchant(), await stage.merchant()];
    await stage.putCard(withCard.merchantId);
    const driver = await stage.start();
    const bad = (merchantId: string) => [
      { timestamp: NOON, key: Buffer.from(`${merchantId}:ann`), value: Buffer.from("junk") },
      { ...recordOf(placed("o1", [["coffee", 1, 100]]), merchantId), key: Buffer.from(`${merchantId}:ben`) },
      recordOf({ ...placed("o1", [["coffee", 1, 100]]), currency: "EUR" }, merchantId),
      recordOf({ ...placed("o1", [["coffee", 1, 100]]), occurredAt: NOON + 1 }, merchantId),
      { ...recordOf({ ...placed("o2", [["coffee", 1, 100]]), occurredAt: NOON + 600_000 }, merchantId), timestamp: NOON },
    ];
    await driver.feed([...bad(withCard.merchantId), ...bad(without.merchantId), { timestamp: NOON, key: null, value: null }]);
    expect(driver.deadLetters.map(({ reason, scope }) => [reason, scope])).toEqual(
      ["invalid_event", "invalid_event", "currency_mismatch", "occurred_in_future"].map((reason) => [reason, withCard.merchantId]),
    );
    const rows = await stage.sql`SELECT 1 FROM stamps.account WHERE merchant = ${without.id}`;
    expect(rows).toHaveLength(0);
  });
});
