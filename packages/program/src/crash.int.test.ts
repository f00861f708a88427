import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { testBed, until, type Bed } from "./testing/harness.ts";
import { probeProgram } from "./testing/probe.ts";

const probeProcess = fileURLToPath(new URL("./testing/probe-process.ts", import.meta.url));

/** Runs the probe program in a process of its own until it ends itself at `crashAt`; resolves to its signal. */
function runUntilCrash(bed: Bed, crashAt: string, crashAfter: number): Promise<NodeJS.Signals | null> {
  const settings = {
    url: bed.database.url,
    brokers: inject("stack").kafkaBrokers,
    topic: bed.topic,
    noticeTopic: bed.noticeTopic,
    crashAt,
    crashAfter,
  };
  const child = spawn(
    process.execPath,
    ["--conditions=source", "--disable-warning=ExperimentalWarning", probeProcess, JSON.stringify(settings)],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  return new Promise((resolve) => child.on("exit", (_code, signal) => resolve(signal)));
}

let bed: Bed;
beforeEach(async () => {
  bed = await testBed(inject("stack"));
});
afterEach(async () => {
  await bed.close();
});

describe("kill -9", () => {
  // load, decide, save, before-commit: nothing is stored. commit: stored and not published.
  it.each(["load", "decide", "save", "before-commit", "commit"])("at %s loses and repeats nothing", async (step) => {
    await bed.send(Array.from({ length: 400 }, (_, i) => ({ id: `e${i}`, amount: 1 })));
    expect(await runUntilCrash(bed, step, 2)).toBe("SIGKILL");
    const [row] = await bed.sql`SELECT count(*)::int AS n FROM probe.outbox`;
    if (step === "commit") expect(row!["n"]).toBeGreaterThan(0);
    // Another group, so that the test need not wait for the dead member's session to end: progress is not the group's.
    bed.start({ program: { ...probeProgram(bed.topic), groupId: `${bed.topic}.after` } });
    await bed.caughtUp(30_000);
    await until("outbox empty", async () => (await bed.sql`SELECT count(*)::int AS n FROM probe.outbox`)[0]!["n"] === 0);
    const totals = Object.values(await bed.totals()).reduce((a, b) => a + b, 0);
    expect(totals).toBe(400);
    const notices = await bed.notices();
    expect(new Set(notices.map(({ source }) => source.split("/")[4])).size).toBe(400);
    // A row may be published twice around a crash, but then with the same source, so readers can drop it.
    const sources = new Map(notices.map(({ source, value }) => [source.split("/").slice(0, 4).join("/"), value]));
    expect(sources.size).toBe(400);
  });
});
