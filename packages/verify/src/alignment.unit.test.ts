import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Alignment } from "./alignment.ts";
import { RowStream } from "./row-stream.ts";

interface Row {
  readonly key: number;
  readonly value: number;
}

function streamOf(rows: readonly Row[], step = 3): RowStream<Row> {
  let at = 0;
  return new RowStream({
    open: async () => {},
    fetch: async () => rows.slice(at, (at += step)),
    close: async () => {},
  });
}

async function align(expected: readonly Row[], found: readonly Row[], advanceEvery = 1): Promise<string[]> {
  const told: string[] = [];
  const alignment = new Alignment<Row, Row>(streamOf(found), {
    same: (a, b) => a.key === b.key && a.value === b.value,
    akin: (a, b) => a.key === b.key,
    belongs: () => true,
    missing: ({ key }) => void told.push(`missing ${key}`),
    unexpected: ({ key }) => void told.push(`unexpected ${key}`),
    changed: ({ key }) => void told.push(`changed ${key}`),
  });
  for (const [i, row] of expected.entries()) {
    alignment.expect(row);
    if (i % advanceEvery === 0) await alignment.advance();
  }
  await alignment.finish();
  return told;
}

const rows = (from: number, to: number): Row[] => Array.from({ length: to - from }, (_, i) => ({ key: from + i, value: 1 }));

describe("two sequences", () => {
  test("that are the same have no differences", async () => {
    expect(await align(rows(0, 500), rows(0, 500))).toEqual([]);
  });

  test("a row that is missing, too much or changed is named, and what follows is not", async () => {
    expect(await align(rows(0, 200), rows(0, 200).toSpliced(50, 1))).toEqual(["missing 50"]);
    expect(await align(rows(0, 200), rows(0, 200).toSpliced(50, 0, { key: 999, value: 1 }))).toEqual(["unexpected 999"]);
    expect(await align(rows(0, 200), rows(0, 200).toSpliced(50, 1, { key: 50, value: 2 }))).toEqual(["changed 50"]);
  });

  test("differences at the ends are named", async () => {
    expect(await align(rows(0, 10), rows(0, 9))).toEqual(["missing 9"]);
    expect(await align(rows(0, 9), rows(0, 10))).toEqual(["unexpected 9"]);
    expect(await align([], rows(0, 2))).toEqual(["unexpected 0", "unexpected 1"]);
    expect(await align(rows(0, 2), [])).toEqual(["missing 0", "missing 1"]);
  });

  test("two that changed places are one missing and one too much", async () => {
    const swapped = rows(0, 100);
    [swapped[40], swapped[41]] = [swapped[41]!, swapped[40]!];
    expect((await align(rows(0, 100), swapped)).toSorted()).toEqual(["missing 41", "unexpected 41"]);
  });

  test("nothing that differs goes untold, and what is told accounts for the numbers of rows", async () => {
    const values = fc.array(fc.record({ key: fc.integer({ min: 0, max: 5 }), value: fc.integer({ min: 0, max: 2 }) }), { maxLength: 150 });
    await fc.assert(
      fc.asyncProperty(values, values, fc.integer({ min: 1, max: 60 }), async (expected, found, every) => {
        const told = await align(expected, found, every);
        const of = (what: string) => told.filter((line) => line.startsWith(what)).length;
        expect(expected.length - of("missing")).toBe(found.length - of("unexpected"));
        if (told.length === 0) expect(found).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });
});
