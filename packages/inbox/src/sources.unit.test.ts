import { expect, test } from "vitest";
import { readMark, Sources, type SourceMark } from "./sources.ts";

const epochs: Record<string, number> = { a: 101, b: 202 };
const mark = (epoch: string | number, sequence: number, program = "tier"): SourceMark => ({
  program,
  part: 3,
  epoch: typeof epoch === "number" ? epoch : epochs[epoch]!,
  sequence,
});

test("a sequence at or below the last one of its epoch is a repeat", () => {
  const sources = new Sources();
  const taken = [1, 2, 3, 2, 3, 4, 4].map((sequence) => sources.take(mark("a", sequence)));
  expect(taken).toEqual([true, true, true, false, false, true, false]);
});

test("another epoch starts over; the old one is still known", () => {
  const sources = new Sources();
  expect(sources.take(mark("a", 7))).toBe(true);
  expect(sources.take(mark("b", 1))).toBe(true);
  expect(sources.take(mark("a", 7))).toBe(false);
  expect(sources.take(mark("a", 8))).toBe(true);
  expect(sources.take(mark("b", 1))).toBe(false);
});

test("programs and source partitions are apart", () => {
  const sources = new Sources();
  expect(sources.take(mark("a", 5))).toBe(true);
  expect(sources.take(mark("a", 5, "cashback"))).toBe(true);
  expect(sources.take({ ...mark("a", 5), part: 4 })).toBe(true);
});

test("what was stored is known again, and only what changed is given back", () => {
  const first = new Sources();
  first.take(mark("a", 1));
  first.take(mark("a", 2, "cashback"));
  const second = new Sources(first.changes());
  expect(second.changes()).toEqual([]);
  expect(second.take(mark("a", 1))).toBe(false);
  expect(second.changes()).toEqual([]);
  expect(second.take(mark("b", 1))).toBe(true);
  expect(second.changes()).toEqual([
    {
      program: "tier",
      sourcePart: 3,
      sequences: [
        [101, 1],
        [202, 1],
      ],
    },
  ]);
});

test("epochs and sources are bounded", () => {
  const sources = new Sources();
  for (let i = 0; i < 100; i++) sources.take(mark(i, 1));
  expect(sources.changes()[0]!.sequences).toHaveLength(16);
  for (let i = 0; i < 1_000; i++) sources.take(mark("a", 1, `p${i}`));
  expect(sources.changes()).toHaveLength(256);
});

test("a mark is read from the outbox's header, and from nothing else", () => {
  const id = "0b5a9ff4-6f1e-5f0c-8a35-0d2f5d5a1c11";
  expect(readMark({ source: Buffer.from(`tier/3/9/12/${id}`) })).toEqual({ program: "tier", part: 3, epoch: 9, sequence: 12, id });
  expect(readMark({})).toBeNull();
  expect(readMark({ source: Buffer.from("tier/3/9") })).toBeNull();
});
