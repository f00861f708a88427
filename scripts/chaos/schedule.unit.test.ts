import { describe, expect, test } from "vitest";
import { describeFault, faultKinds, schedule } from "./schedule.ts";

const hour = 3_600_000;

describe("schedule", () => {
  test("is a function of its seed", () => {
    expect(schedule(7, hour)).toEqual(schedule(7, hour));
    expect(schedule(7, hour)).not.toEqual(schedule(8, hour));
  });

  test("of a longer run begins as that of a shorter one", () => {
    const short = schedule(7, 60_000);
    expect(schedule(7, hour).slice(0, short.length)).toEqual(short);
  });

  test("deals every kind on every target before any comes again", () => {
    const names = schedule(3, hour).map(({ fault }) =>
      [fault.kind, "target" in fault ? fault.target : "link" in fault ? fault.link : ""].join(),
    );
    const distinct = new Set(names);
    expect(new Set(names.slice(0, distinct.size))).toEqual(distinct);
    expect(new Set(schedule(3, hour).map(({ fault }) => fault.kind))).toEqual(new Set(faultKinds));
    for (const target of [
      "tier-processor",
      "cashback-processor",
      "stamps-processor",
      "notifier",
      "notifier-2",
      "merchant-api",
      "postgres",
      "kafka",
      "registry",
    ])
      for (const kind of ["kill", "freeze"]) expect(distinct).toContain(`${kind},${target}`);
  });

  test("keeps the time between two faults and ends in time", () => {
    const at = schedule(5, hour).map(({ atMs }) => atMs);
    for (const [i, atMs] of at.entries()) if (i > 0) expect(atMs - at[i - 1]!).toBeGreaterThanOrEqual(2_000);
    expect(at.at(-1)).toBeLessThan(hour);
  });

  test("has only the kinds that were asked for", () => {
    expect(new Set(schedule(1, hour, { kinds: ["lost-commit"], on: [] }).map(({ fault }) => fault.kind))).toEqual(new Set(["lost-commit"]));
  });
});

test("has only what was asked to be hit", () => {
  const planned = schedule(1, hour, { kinds: faultKinds, on: ["kafka", "tier-processor"] });
  const hit = planned.map(({ fault }) => ("target" in fault ? fault.target : "link" in fault ? fault.link : ""));
  expect(new Set(hit)).toEqual(new Set(["kafka", "tier-processor"]));
});

test("a fault is described with its parameters", () => {
  expect(describeFault({ kind: "kill", target: "notifier-2", downMs: 1_000 })).toBe("kill notifier-2 downMs=1000");
});
