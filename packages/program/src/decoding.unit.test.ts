import { Registry } from "@perkstream/service";
import { expect, test, vi } from "vitest";
import { Decoding } from "./decoding.ts";
import { hostMetrics } from "./metrics.ts";
import { Partition } from "./partition.ts";
import type { Planned } from "./plan.ts";
import { silent } from "./testing/harness.ts";
import { probeProgram, type ProbeEvent } from "./testing/probe.ts";

/** A partition with one record, planned. */
function plannedWith(number: number, id: string): Planned<ProbeEvent> {
  const partition = new Partition<ProbeEvent>(number);
  partition.resume(0, 1);
  const value = Buffer.from(JSON.stringify({ id, amount: 1 }));
  partition.push({ offset: 0, message: { key: null, value, timestamp: "1", attributes: 0, offset: "0", headers: {} } });
  return { partition, slots: [...partition.slots], endOffset: 1 };
}

/** Decoding with a registry that is away and has told of "known" before. */
function whileAway() {
  const state = { isAway: true, isBroken: false, asked: 0, woken: 0, owned: true };
  const decoding = new Decoding({
    program: {
      ...probeProgram("topic"),
      async prepare(records) {
        state.asked += 1;
        if (state.isAway && records.some(({ value }) => !String(value).includes("known")))
          throw Object.assign(new Error("away"), { retryable: true });
        if (state.isBroken || records.some(({ value }) => String(value).includes("broken"))) throw new TypeError("broken");
      },
    },
    log: silent,
    metrics: hostMetrics("probe", new Registry()),
    isOwned: () => state.owned,
    wake: () => void (state.woken += 1),
  });
  return { decoding, state };
}

test("a partition whose record cannot be decoded waits, alone, until there is an answer; then the lane is woken", async () => {
  const { decoding, state } = whileAway();
  const [fresh, known] = [plannedWith(0, "fresh"), plannedWith(1, "known")];
  expect(await decoding.decode([fresh, known])).toEqual([known]);
  expect([fresh, known].map(({ partition }) => [partition.isStuck, partition.available(0)])).toEqual([
    [true, 0],
    [false, 1],
  ]);
  const { asked } = state;
  await vi.waitFor(() => expect(state.asked).toBeGreaterThan(asked + 1), { timeout: 10_000 });
  expect(fresh.partition.isStuck).toBe(true);
  expect(state.woken).toBe(0);
  state.isAway = false;
  await vi.waitFor(() => expect(state.woken).toBe(1), { timeout: 10_000 });
  expect([fresh.partition.isStuck, fresh.partition.available(0)]).toEqual([false, 1]);
  expect(fresh.slots[0]?.decoded).toMatchObject({ entry: { event: { id: "fresh" } } });
});

test("nothing is asked any longer for a partition that is another's", async () => {
  const { decoding, state } = whileAway();
  expect(await decoding.decode([plannedWith(0, "fresh")])).toEqual([]);
  state.owned = false;
  await vi.waitFor(() => expect(state.woken).toBe(1), { timeout: 10_000 });
  expect(state.asked).toBeLessThanOrEqual(3);
});

test("what is no outage is the lane's to sort: beside an outage, at once, and when it comes in place of an answer", async () => {
  const { decoding, state } = whileAway();
  const plan = plannedWith(0, "fresh");
  await expect(decoding.decode([plan, plannedWith(1, "known and broken")])).rejects.toThrow("broken");
  expect(plan.partition.isStuck).toBe(false);
  expect(await decoding.decode([plan])).toEqual([]);
  Object.assign(state, { isAway: false, isBroken: true });
  await vi.waitFor(() => expect(state.woken).toBe(1), { timeout: 10_000 });
  expect(plan.partition.isStuck).toBe(false);
  await expect(decoding.decode([plan])).rejects.toThrow("broken");
});
