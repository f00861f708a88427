import { describe, expect, test } from "vitest";
import { accountedMinor } from "./index.ts";
import { play } from "../testing/compare.ts";
import { MemoryWorld } from "../testing/memory.ts";
import { cashbackVectors } from "../testing/vectors.ts";

describe("vectors.json, cashback's side", () => {
  for (const vector of cashbackVectors()) {
    test(`${vector.id} ${vector.title}`, async () => {
      const world = new MemoryWorld(vector);
      expect(await play(vector, world)).toEqual([]);
      for (const customer of world.customers.values()) {
        for (const lot of customer.lots.values()) expect(accountedMinor(lot)).toBe(lot.grantedMinor);
      }
    });
  }
});
