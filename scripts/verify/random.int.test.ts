import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { lineOf } from "./print.ts";
import { VerifyBed } from "./testing/bed.ts";
import { playRandomStory } from "./testing/random-story.ts";
import { verifyBed } from "./testing/verify.ts";

const STORIES = Number(process.env["VERIFY_STORIES"] ?? 4);
const FIRST_SEED = Number(process.env["VERIFY_SEED"] ?? 1);
const STEPS = Number(process.env["VERIFY_STEPS"] ?? 150);

let bed: VerifyBed;

beforeAll(async () => {
  bed = await VerifyBed.open(inject("stack").postgresUrl);
});

afterAll(() => bed.close());

describe("random years of a merchant are what their stored events and commands give", () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + STORIES; seed++) {
    test(`seed ${seed}`, { timeout: 120_000 }, async () => {
      const { merchantId } = await playRandomStory(bed, seed, STEPS);
      expect((await verifyBed(bed, merchantId)).differences.map(lineOf)).toEqual([]);
    });
  }

  test("all of them at once, with what holds of partitions", { timeout: 120_000 }, async () => {
    expect((await verifyBed(bed)).differences.map(lineOf)).toEqual([]);
  });
});
