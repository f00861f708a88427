import { expect, test } from "vitest";
import { Draining } from "./draining.ts";

/** A queue whose work takes all that waits and ends. */
function queue(onEnd: () => void = () => {}) {
  const waiting: number[] = [];
  const done: number[] = [];
  let running = 0;
  const draining = new Draining(
    () => waiting.length > 0,
    async () => {
      expect((running += 1)).toBe(1);
      while (waiting.length > 0) {
        const taken = waiting.splice(0);
        await Promise.resolve();
        done.push(...taken);
      }
      running -= 1;
      onEnd();
    },
  );
  const add = (n: number) => {
    waiting.push(n);
    draining.wake();
  };
  return { add, done, draining };
}

test("what comes between the end of the work and its notice is not left lying", async () => {
  for (let turns = 0; turns < 6; turns++) {
    let isFirst = true;
    const { add, done, draining } = queue(() => {
      if (!isFirst) return;
      isFirst = false;
      let last = Promise.resolve();
      for (let i = 0; i < turns; i++) last = last.then(() => {});
      void last.then(() => add(2));
    });
    add(1);
    await new Promise(setImmediate);
    await draining.idle();
    expect(done).toEqual([1, 2]);
  }
});

test("one run at a time; idle waits for all of it", async () => {
  const { add, done, draining } = queue();
  for (let i = 0; i < 5; i++) add(i);
  await draining.idle();
  expect(done).toEqual([0, 1, 2, 3, 4]);
  await draining.idle();
  add(5);
  await draining.idle();
  expect(done).toHaveLength(6);
});

test("nothing to do starts nothing", async () => {
  let runs = 0;
  const draining = new Draining(
    () => false,
    async () => void (runs += 1),
  );
  draining.wake();
  await draining.idle();
  expect(runs).toBe(0);
});
