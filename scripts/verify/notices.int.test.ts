import type { Merchant } from "@perkstream/merchant";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { kindOf, lineOf } from "./print.ts";
import { VerifyBed } from "./testing/bed.ts";
import { playRichMerchant } from "./testing/rich-merchant.ts";
import { type Saved, saveTables } from "./testing/saved-tables.ts";
import { verifyBed } from "./testing/verify.ts";

let bed: VerifyBed;
let merchant: Merchant;
let saved: Saved;

beforeAll(async () => {
  bed = await VerifyBed.open(inject("stack").postgresUrl);
  merchant = await playRichMerchant(bed);
  saved = await saveTables(bed.sql, ["tier", "cashback", "inbox"]);
});

afterEach(() => saved.restore());
afterAll(() => bed.close());

const ANNA = "(SELECT acct FROM inbox.account WHERE customer_id = 'anna')";

/** One more order of anna, whose notifications go no further than the outbox. */
async function orderUnpublished(): Promise<void> {
  await bed.restart();
  const occurredAt = Date.UTC(2025, 1, 20);
  const lines = [{ sku: "sku", category: null, quantity: 1, netMinor: 50_000n }];
  const event = {
    type: "OrderPlaced",
    merchantId: merchant.merchantId,
    customerId: "anna",
    orderId: "late",
    occurredAt,
    currency: "EUR",
    lines,
    paidWithCashbackMinor: 0n,
  } as const;
  await bed.read([{ event, atMs: occurredAt }]);
}

describe("a notification that is not in the inbox", () => {
  test("may wait in the outbox", async () => {
    await orderUnpublished();
    expect((await verifyBed(bed)).differences.map(lineOf)).toEqual([]);
  });

  test("may be published and not stored yet, as many as were numbered since", async () => {
    await orderUnpublished();
    const [{ count } = { count: 0 }] = await bed.sql<{ count: number }[]>`SELECT count(*)::int AS count FROM cashback.outbox`;
    await bed.sql.unsafe(`DELETE FROM cashback.outbox; UPDATE cashback.progress SET published = out_seq`);
    const { differences, checked } = await verifyBed(bed);
    expect(differences.map(lineOf)).toEqual([]);
    expect(checked.get("notifications on their way")).toBe(count);
  });

  test("is missing when the inbox has later ones of its source", async () => {
    await bed.sql.unsafe(
      `DELETE FROM inbox.notification WHERE acct = ${ANNA} AND off = (SELECT min(off) FROM inbox.notification WHERE acct = ${ANNA})`,
    );
    expect((await verifyBed(bed)).differences.map(kindOf)).toEqual([expect.stringMatching(/notification missing$/)]);
  });

  test("was trimmed when only older ones are gone and retention has been there", async () => {
    await bed.sql.unsafe(`UPDATE inbox.notification SET stored_at = stored_at - interval '100 days' WHERE acct = ${ANNA} AND off <= 2`);
    await bed.sql.unsafe(
      `WITH gone AS (DELETE FROM inbox.notification WHERE acct = ${ANNA} AND off <= 2 RETURNING part, off) INSERT INTO inbox.trim SELECT part, max(off) FROM gone GROUP BY part`,
    );
    expect((await verifyBed(bed)).differences.map(lineOf)).toEqual([]);
  });

  test("was not trimmed when an earlier one is left", async () => {
    await bed.sql.unsafe(
      `WITH gone AS (DELETE FROM inbox.notification WHERE acct = ${ANNA} AND off = (SELECT max(off) FROM inbox.notification WHERE acct = ${ANNA}) RETURNING part)
       INSERT INTO inbox.trim SELECT part, 0 FROM gone`,
    );
    expect((await verifyBed(bed)).differences.map(kindOf)).toEqual([expect.stringMatching(/notification missing$/)]);
  });
});
