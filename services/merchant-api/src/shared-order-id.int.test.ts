import type { OrderPlaced } from "@perkstream/contracts";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { campaign, ladder, startSystem, type TestSystem } from "./testing/system.ts";

/* Two customers send the same order id, which lie in two partitions: both programs count the same one of them. */

let api: TestSystem;

beforeAll(async () => {
  api = await startSystem(inject("stack"));
}, 120_000);
afterAll(() => api?.stop());

const NOON = Date.UTC(2025, 0, 2, 12);
const PARTITIONS: Readonly<Record<string, number>> = { ann: 0, ben: 1 };
type Name = "ann" | "ben";
const OTHER = { ann: "ben", ben: "ann" } as const;

let orders = 0;

async function meet(tierMultiplier: boolean) {
  const shop = await api.merchant();
  await shop.call("PUT", "/v1/tiers", ladder, { "if-match": "*" });
  await shop.call("POST", "/v1/campaigns", { ...campaign, tierMultiplier });
  const orderId = `shared-${orders++}`;
  const sent = (customerId: Name, netMinor = 10_000n) => {
    const event: OrderPlaced = {
      type: "OrderPlaced",
      merchantId: shop.merchantId,
      customerId,
      orderId,
      occurredAt: NOON,
      currency: "EUR",
      lines: [{ sku: "s", category: null, quantity: 1, netMinor }],
      paidWithCashbackMinor: 0n,
    };
    const key = Buffer.from(`${shop.merchantId}:${customerId}`);
    return { partition: PARTITIONS[customerId] ?? 0, timestamp: NOON, key, value: api.deps.records.orders.encode(event) };
  };
  /** Both programs counted it for this customer, and refused it to the other once each. */
  const expectOwner = async (owner: Name) => {
    const letters = await shop.call("GET", "/v1/dead-letters");
    const message = `order ${orderId} was counted with another customerId`;
    const refused = { reason: "order_conflict", message, key: `${shop.merchantId}:${OTHER[owner]}` };
    expect(letters.body["data"]).toMatchObject([refused, refused]);
    expect((letters.body["data"] as { program: string }[]).map(({ program }) => program).toSorted()).toEqual(["cashback", "tier"]);
    const { body } = await shop.call("GET", `/v1/orders/${orderId}`);
    expect(body).toMatchObject({ customerId: owner, tier: { before: null, after: "gold" }, awards: [{ awardedMinor: 100 }] });
  };
  return { shop, sent, expectOwner };
}

describe.each([true, false])("one id from two customers, with multipliers: %s", (tierMultiplier) => {
  test.each([
    ["ann", "ann"],
    ["ann", "ben"],
    ["ben", "ann"],
    ["ben", "ben"],
  ] as const)("tier reads %s first, cashback %s", async (first, early) => {
    const { sent, expectOwner } = await meet(tierMultiplier);
    await api.tier.feed([sent(first), sent(OTHER[first])], 1);
    await api.cashback.feed([sent(early), sent(OTHER[early])], 1);
    await expectOwner(first);
  });

  test("a conflict of one customer alone stays that", async () => {
    const { shop, sent } = await meet(tierMultiplier);
    const records = [sent("ann"), sent("ann", 1n), sent("ann")];
    await api.tier.feed(records, 1);
    await api.cashback.feed(records);
    const { body } = await shop.call("GET", "/v1/dead-letters");
    expect(body["data"]).toMatchObject([{ reason: "order_conflict" }, { reason: "order_conflict" }]);
    expect((await shop.call("GET", "/v1/dev/counts")).body).toMatchObject({ tier: { duplicates: 1 }, cashback: { duplicates: 1 } });
  });
});

test("cashback, ahead of tier in one partition, goes by what tier counted in the other", async () => {
  const { sent, expectOwner } = await meet(false);
  await api.tier.feed([sent("ann")]);
  await api.cashback.feed([sent("ben"), sent("ann")], 1);
  await api.tier.feed([sent("ben")]);
  await expectOwner("ann");
});
