import { expect, test } from "vitest";
import { InboxWatch } from "./inbox-watch.ts";

test("one query answers everybody who waits; an outage is waited out", async () => {
  let next = 0;
  let reads = 0;
  const watch = new InboxWatch(async () => {
    reads += 1;
    if (reads === 2) throw new Error("away");
    next += 5;
    return new Map([[0, next]]);
  });
  const all = await Promise.all(Array.from({ length: 50 }, () => watch.reached(0, 10, 5_000)));
  expect(all.every(Boolean)).toBe(true);
  expect(reads).toBe(3);
});

test("says no in time, also when the query hangs", async () => {
  const watch = new InboxWatch(() => new Promise(() => {}));
  expect(await watch.reached(0, 1, 20)).toBe(false);
});
