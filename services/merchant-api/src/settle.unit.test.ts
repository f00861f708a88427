import { expect, test } from "vitest";
import { until } from "./settle.ts";

test("asks until nothing is behind", async () => {
  const answers = ["a", "b", null];
  expect(await until(performance.now() + 5_000, () => Promise.resolve(answers.shift() ?? null))).toBeNull();
  expect(answers).toEqual([]);
});

test("names what is behind when the time is over", async () => {
  expect(await until(performance.now() + 30, () => Promise.resolve("tier is at 3"))).toBe("tier is at 3");
});

test("asks at least once", async () => {
  expect(await until(0, () => Promise.resolve(null))).toBeNull();
});
