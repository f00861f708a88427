import { expect, test } from "vitest";
import { LivePositions } from "./positions.ts";

const id = "0b5a9ff4-6f1e-5f0c-8a35-0d2f5d5a1c11";
const from = (epoch: number, seq: number) => ({ source: Buffer.from(`tier/0/${epoch}/${seq}/${id}`) });

test("takes each offset once and knows the repeats that the inbox knows", () => {
  const positions = new LivePositions();
  positions.start(0, { nextOffset: 10, sources: [{ program: "tier", sourcePart: 0, sequences: [[1, 4]] }] });
  expect(positions.take(0, 9, {})).toBe("passed");
  expect(positions.take(0, 10, from(1, 4))).toBe("repeat");
  expect(positions.take(0, 11, from(1, 5))).toBe("new");
  expect(positions.take(0, 11, from(1, 6))).toBe("passed");
  expect(positions.take(0, 14, {})).toBe("new");
  expect(positions.next(0)).toBe(15);
  expect(positions.take(1, 0, {})).toBe("passed");
});

test("waits until an offset was passed, also over offsets without records", async () => {
  const positions = new LivePositions();
  positions.start(0, { nextOffset: 5, sources: [] });
  expect(await positions.passed(0, 4, 1)).toBe(true);
  expect(await positions.passed(0, 5, 1)).toBe(false);
  const waiting = positions.passed(0, 7, 5_000);
  positions.skipTo(0, 7);
  positions.skipTo(0, 9);
  expect(await waiting).toBe(true);
  positions.skipTo(0, 3);
  expect(positions.next(0)).toBe(9);
});
