import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePorts, loopback } from "./ports.ts";

test("free ports are distinct, never taken ones, and below the range of outgoing connections", async () => {
  const [first = 0, second = 0, third = 0] = await freePorts(3);
  const taken = createServer().listen(third, loopback);
  await once(taken, "listening");
  const next = await freePorts(3);
  taken.close();
  expect(new Set([first, second, third, ...next]).size).toBe(6);
  for (const port of [first, second, ...next]) {
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_768);
  }
});
