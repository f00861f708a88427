import { expect, test } from "vitest";
import { Partition } from "./partition.ts";

test("a partition that waited for another program waits no more when its progress is set back", () => {
  const partition = new Partition<unknown>(0);
  partition.resume(100, 1);
  partition.push({ offset: 100, message: { key: null, value: null, timestamp: "1", attributes: 0, offset: "100", headers: {} } });
  partition.waiting = true;
  partition.resume(50, 2);
  expect(partition.slots).toEqual([]);
  expect(partition.isStuck).toBe(false);
});
