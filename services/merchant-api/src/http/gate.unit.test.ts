import { expect, test, vi } from "vitest";
import type { Refusal } from "../errors.ts";
import { Gate } from "./gate.ts";

const unavailable = expect.objectContaining({ code: "unavailable", headers: { "retry-after": "1" } }) as Refusal;

test("lets in so many at once; what was answered late counts until it ends", async () => {
  vi.useFakeTimers();
  const gate = new Gate({ atOnce: 2, answerMs: 1_000 });
  const ends: (() => void)[] = [];
  const work = () => new Promise<string>((resolve) => ends.push(() => resolve("done")));
  const [first, second] = [gate.run(work), gate.run(work)];
  expect(await gate.run(work)).toEqual(unavailable);
  expect(ends).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await Promise.all([first, second])).toEqual([unavailable, unavailable]);
  expect(await gate.run(work)).toEqual(unavailable);
  ends[0]?.();
  await vi.advanceTimersByTimeAsync(0);
  const third = gate.run(work);
  ends.at(-1)?.();
  expect(await third).toBe("done");
  vi.useRealTimers();
});

test("passes a failure on and is free again", async () => {
  const gate = new Gate({ atOnce: 1, answerMs: 1_000 });
  await expect(gate.run(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await gate.run(() => Promise.resolve(1))).toBe(1);
});

test("work that takes its time has a bound of its own", async () => {
  vi.useFakeTimers();
  const gate = new Gate({ atOnce: 1, answerMs: 1_000 });
  const long = gate.run(() => new Promise<string>((resolve) => void setTimeout(resolve, 2_000, "done")), 3_000);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await long).toBe("done");
  vi.useRealTimers();
});
