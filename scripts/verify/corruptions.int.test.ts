import type { Merchant } from "@perkstream/merchant";
import type { Difference } from "@perkstream/verify";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { kindOf, lineOf } from "./print.ts";
import { VerifyBed } from "./testing/bed.ts";
import { corruptions } from "./testing/corruptions.ts";
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

afterAll(() => bed.close());

describe("verify", () => {
  test("finds nothing where nothing is wrong", async () => {
    expect((await verifyBed(bed)).differences.map(lineOf)).toEqual([]);
    expect((await verifyBed(bed, merchant.merchantId)).differences.map(lineOf)).toEqual([]);
  });

  for (const { name, plant, named, leadsOn = false } of corruptions) {
    test(`names ${name}`, async () => {
      await bed.sql.unsafe(plant);
      try {
        const { differences: found } = await verifyBed(bed);
        for (const [kind, where] of Object.entries(named)) {
          const fits = (difference: Difference) =>
            kindOf(difference).endsWith(kind) && Object.entries(where).every(([key, value]) => String(difference.where[key]) === value);
          if (!found.some(fits)) expect.fail(`${kind} ${JSON.stringify(where)} is not among ${JSON.stringify(found.map(lineOf), null, 1)}`);
        }
        const kinds = found.filter((difference) => !Object.keys(named).some((kind) => kindOf(difference).endsWith(kind)));
        if (!leadsOn) expect(kinds.map(lineOf), "differences of other kinds").toEqual([]);
      } finally {
        await saved.restore();
      }
    });
  }
});
