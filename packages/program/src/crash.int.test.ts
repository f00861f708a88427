import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { crashPoint, crashPointOf, crashSteps, type CrashStep } from "./crash.ts";
import { testBed, until, type Bed } from "./testing/harness.ts";
import { probeProgram } from "./testing/probe.ts";
import type { ProbeProcessOptions } from "./testing/probe-process.ts";

const probeProcess = fileURLToPath(new URL("./testing/probe-process.ts", import.meta.url));
const EVENTS = 60;
/** More than a process sends until a chunk is stored. */
const MAX_STATEMENTS = 200;

let bed: Bed;
let sent = 0;
let runs = 0;
beforeAll(async () => {
  bed = await testBed(inject("stack"));
});
afterAll(() => bed.close());

/** Another group for each process, so that none waits for a dead member's session to end: progress is not the group's. */
const nextGroup = () => `${bed.topic}.${++runs}`;

/** Runs the probe program in a process of its own until it ends itself; resolves to its signal. */
function runUntilCrash(crashAt: string, sweeps: number): Promise<NodeJS.Signals | null> {
  const options: ProbeProcessOptions = {
    url: bed.database.url,
    brokers: inject("stack").kafkaBrokers,
    topic: bed.topic,
    groupId: nextGroup(),
    noticeTopic: bed.noticeTopic,
    deadLetterTopic: bed.deadLetterTopic,
    crashAt,
    sweeps,
  };
  const command = ["--conditions=source", "--disable-warning=ExperimentalWarning", probeProcess, JSON.stringify(options)];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "ignore", "inherit"] });
  return new Promise((resolve) => child.on("exit", (_code, signal) => resolve(signal)));
}

async function send(): Promise<void> {
  await bed.send(["broken", ...Array.from({ length: EVENTS - 1 }, (_, i) => ({ id: `e${sent + i}`, amount: 1 }))]);
  sent += EVENTS;
}

/** Starts it again and lets it come to the end. */
async function finish(sweeps: number): Promise<void> {
  const host = bed.start({
    program: { ...probeProgram(bed.topic, { sweeps }), groupId: nextGroup() },
    settings: { sweepIntervalMs: 50 },
  });
  await bed.caughtUp();
  await until("everything is swept and published", async () => {
    const [row] = await bed.sql<{ swept: boolean; waiting: number }[]>`SELECT
      (SELECT bool_and(coalesce(counters[1], 0) >= ${sweeps}) FROM probe.progress) AS swept, (SELECT count(*)::int FROM probe.outbox)
        + (SELECT count(*)::int FROM probe.dead_letter WHERE published_at IS NULL) AS waiting`;
    return row!.swept && row!.waiting === 0;
  });
  await host.stop();
}

/** What is stored, whenever a process ends: as much of everything as the progress says. */
async function stored() {
  const [row] = await bed.sql<Record<"read" | "told" | "published" | "dead", number>[]>`SELECT
    (SELECT coalesce(sum(amount), 0)::int FROM probe.total) AS total,
    (SELECT count(*)::int FROM probe.seen) AS seen,
    (SELECT coalesce(sum(events), 0)::int FROM probe.tally) AS events,
    (SELECT coalesce(sum(duplicates), 0)::int FROM probe.tally) AS duplicates,
    (SELECT count(*)::int FROM probe.applied) AS swept,
    (SELECT count(*)::int FROM probe.outbox) AS waiting,
    (SELECT count(*)::int FROM probe.dead_letter) AS dead,
    (SELECT sum(next_off)::int FROM probe.progress) AS read,
    (SELECT sum(coalesce(counters[1], 0))::int FROM probe.progress) AS steps,
    (SELECT sum(out_seq)::int FROM probe.progress) AS told,
    (SELECT sum(published)::int FROM probe.progress) AS published`;
  return row!;
}

async function expectWhole(): Promise<void> {
  const found = await stored();
  const { read, published, told, dead } = found;
  const counted = read - dead;
  const swept = told - counted;
  const expected = { total: counted, seen: counted, events: counted, duplicates: 0, swept, steps: swept, waiting: told - published };
  expect(found).toEqual({ ...expected, read, told, published, dead });
}

describe("kill -9", () => {
  const ofApi: readonly CrashStep[] = ["command", "command-commit", "produce"];
  const steps = crashSteps.filter((step) => step !== "statement" && !ofApi.includes(step));

  // Each process goes on where the one before it has ended.
  it.each(steps.map((step, i) => ({ step, sweeps: i + 1 })))("after $step leaves nothing half done", async ({ step, sweeps }) => {
    await send();
    // The others are reached once a process: at its start, or in a pause.
    const isOfChunks = !["acquire", "mark", "dead-letters", "kafka-commit"].includes(step);
    expect(await runUntilCrash(isOfChunks ? `${step}:2` : step, sweeps)).toBe("SIGKILL");
    await expectWhole();
  });

  // Every fifth, up to those after a COMMIT.
  it("before a statement leaves nothing half done", async () => {
    const before = await stored();
    let n = 0;
    for (let read = before.read; read === before.read && n < MAX_STATEMENTS; { read } = await stored()) {
      await send();
      expect(await runUntilCrash(`statement:${(n += 5)}`, steps.length)).toBe("SIGKILL");
      await expectWhole();
    }
    expect(n).toBeGreaterThan(10);
    expect(n).toBeLessThan(MAX_STATEMENTS);
  }, 240_000);

  it("loses and repeats nothing in the end", async () => {
    const sweeps = steps.length + 1;
    await finish(sweeps);
    await expectWhole();
    const broken = sent / EVENTS;
    const all = sent - broken + bed.partitions * sweeps;
    expect(await stored()).toMatchObject({ read: sent, dead: broken, told: all, published: all, waiting: 0 });
    // A row may be published twice around a crash, but then with the same source, so that readers drop it.
    const bySource = new Map((await bed.notices()).map(({ source, value }) => [source, value]));
    const numbers = [...bySource.keys()].map((source) => source.split("/")).map(([, part, , seq]) => `${part}/${seq}`);
    expect([bySource.size, new Set(numbers).size, new Set(bySource.values()).size]).toEqual([all, all, all]);
    const letters = (await bed.deadLetters()).map(({ headers }) => headers["dead-letter-id"]);
    expect(new Set(letters).size).toBe(broken);
  });
});

describe("PERKS_CRASH_AT", () => {
  it("takes the steps that there are and no others, in development only", () => {
    for (const text of [...crashSteps, "load:3"]) expect(crashPoint.safeParse(text).success).toBe(true);
    for (const text of ["lunch", "load:0", "load:x", ""]) expect(crashPoint.safeParse(text).success).toBe(false);
    const asked = { PERKS_CRASH_AT: crashPoint.parse("load") };
    expect(crashPointOf({ PERKS_MODE: "development", ...asked })).toBe(asked.PERKS_CRASH_AT);
    expect(() => crashPointOf({ PERKS_MODE: "production", ...asked })).toThrow("development only");
    expect(crashPointOf({ PERKS_MODE: "production" })).toBeUndefined();
  });
});
