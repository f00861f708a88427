import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { lineOf } from "./print.ts";
import { VerifyBed } from "./testing/bed.ts";
import { playCase, workedCases } from "./testing/vectors.ts";
import { verifyBed } from "./testing/verify.ts";

let bed: VerifyBed;

beforeAll(async () => {
  bed = await VerifyBed.open(inject("stack").postgresUrl);
});

afterAll(() => bed.close());

test("the worked cases, through both programs, hold what their stored events and commands give", { timeout: 180_000 }, async () => {
  const cases = new Map<string, string>();
  for (const worked of workedCases) cases.set((await playCase(bed, worked)).merchantId, `${worked.id} ${worked.title}`);
  const { differences, checked } = await verifyBed(bed);
  expect(differences.map((difference) => `${cases.get(String(difference.where["merchant"]))}: ${lineOf(difference)}`)).toEqual([]);
  expect(checked.get("tier orders")).toBeGreaterThan(150);
  expect(checked.get("cashback orders")).toBe(checked.get("tier orders"));
  for (const what of ["notifications", "transfers", "lots", "redemptions", "caps", "budgets", "seals"])
    expect(checked.get(what), what).toBeGreaterThan(1);
});

describe("one merchant", () => {
  test("is verified by itself, without what spans partitions", async () => {
    const worked = workedCases[0]!;
    const { merchantId } = await playCase(bed, worked);
    const { differences, checked } = await verifyBed(bed, merchantId);
    expect(differences).toEqual([]);
    expect([checked.get("tier orders"), checked.has("seals")]).toEqual([2, false]);
  });

  test("that nobody made is refused", async () => {
    await expect(verifyBed(bed, "00000000-0000-4000-8000-000000000000")).rejects.toThrow("There is no merchant");
  });
});

test("services may go on meanwhile: one moment is verified", { timeout: 60_000 }, async () => {
  const stop = new AbortController();
  const living = (async () => {
    for (const worked of workedCases) if (!stop.signal.aborted) await playCase(bed, worked);
  })();
  try {
    for (let i = 0; i < 3; i++) expect((await verifyBed(bed)).differences.map(lineOf)).toEqual([]);
  } finally {
    stop.abort();
    await living;
  }
});
