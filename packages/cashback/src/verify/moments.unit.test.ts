import fc from "fast-check";
import { expect, test } from "vitest";
import { Moments } from "./moments.ts";

test("moments come in their order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (times) => {
      const moments = new Moments<string>();
      for (const at of times) moments.push(at, String(at));
      const popped: number[] = [];
      while (moments.first !== undefined) {
        popped.push(moments.firstAt);
        expect(moments.pop()).toBe(String(popped.at(-1)));
      }
      expect(popped).toEqual(times.toSorted((a, b) => a - b));
      expect([moments.pop(), moments.firstAt]).toEqual([undefined, Number.POSITIVE_INFINITY]);
    }),
  );
});
