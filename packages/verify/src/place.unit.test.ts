import { describe, expect, test } from "vitest";
import { VersionClock } from "./place.ts";

const row = (part: number, off: number, n: number, version: number) => ({
  part,
  off: BigInt(off),
  n: BigInt(n),
  detail: { merchant: 1, version },
});
const at = (offset: number, n: number) => ({ partition: 0, offset, n });

describe("versions of rules", () => {
  const clock = new VersionClock([row(0, 5, 10, 2), row(0, 5, 12, 3), row(1, 9, 1, 2)]);
  const known = (offset: number, n: number) => clock.countAt(1, at(offset, n), 3, () => 0);

  test("are known from the row that tells of them, also between two of one offset", () => {
    expect([known(4, Infinity), known(5, 9), known(5, 11), known(5, 13), known(5, Infinity)]).toEqual([1, 1, 2, 3, 3]);
  });

  test("without a row they are known from where they hold", () => {
    const holdsFrom = (version: number) => version * 10;
    expect([9, 10, 25].map((offset) => new VersionClock([]).countAt(1, at(offset, 0), 2, holdsFrom))).toEqual([0, 1, 2]);
  });
});
