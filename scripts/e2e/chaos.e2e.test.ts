import { expect, it } from "vitest";
import { runChaos } from "../chaos/run.ts";
import { linesOf } from "../chaos/report.ts";
import { faultKinds } from "../chaos/schedule.ts";

/* A short run of the fault suite; `npm run chaos` is the one at length. The seed has all kinds of faults in its first minute. */

const run = { seed: 34, durationMs: 70_000, rate: 20, online: 10, faults: { kinds: faultKinds, on: [] }, keep: false };

it("loses nothing and has nothing twice under a minute of faults", async () => {
  const lines: string[] = [];
  const report = await runChaos({ ...run, say: (line) => lines.push(line) });
  const all = [...lines, ...linesOf(report)].join("\n");
  expect(report.violations.length, all).toBe(0);
  const faults = [...report.faults.values()].reduce((sum, count) => sum + count, 0);
  expect(faults, all).toBeGreaterThan(10);
  for (const what of ["orders", "notifications", "notes seen online", "dead letters"])
    expect(report.checked.get(what), all).toBeGreaterThan(20);
}, 1_800_000);
