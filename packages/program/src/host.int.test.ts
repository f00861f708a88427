import { openSql } from "@perkstream/postgres";
import { Registry } from "@perkstream/service";
import type { AdminConfig, Kafka } from "kafkajs";
import { afterEach, beforeEach, describe, expect, inject, it, vi } from "vitest";
import type { Bed } from "./testing/harness.ts";
import { testBed, until } from "./testing/harness.ts";
import { probeProgram } from "./testing/probe.ts";

const events = (count: number, from = 0) => Array.from({ length: count }, (_, i) => ({ id: `e${from + i}`, amount: 1 }));
const sum = (totals: Record<string, number>) => Object.values(totals).reduce((a, b) => a + b, 0);

let bed: Bed;
beforeEach(async () => {
  bed = await testBed(inject("stack"));
});
afterEach(async () => {
  vi.useRealTimers();
  await bed.close();
});

/** The bed's Kafka, whose answers about the ends of logs go through `answer`. */
function asking(answer: (offsets: LogEnds) => Promise<LogEnds>): Kafka {
  const admin = (config?: AdminConfig) => {
    const real = bed.kafka.admin(config);
    return { ...real, fetchTopicOffsets: async (topic: string) => answer(await real.fetchTopicOffsets(topic)) };
  };
  return Object.create(bed.kafka, { admin: { value: admin } });
}
type LogEnds = Awaited<ReturnType<ReturnType<Kafka["admin"]>["fetchTopicOffsets"]>>;

describe("the host", () => {
  it("handles every event once and publishes a notice for each, in order", async () => {
    await bed.send(events(1_000));
    bed.start();
    await bed.caughtUp();
    expect(sum(await bed.totals())).toBe(1_000);
    await until("outbox empty", async () => (await bed.sql`SELECT count(*)::int AS n FROM probe.outbox`)[0]!["n"] === 0);
    const notices = await bed.notices();
    expect(new Set(notices.map(({ value }) => value)).size).toBe(1_000);
    for (let partition = 0; partition < bed.partitions; partition++) {
      const sequence = notices.filter((notice) => notice.partition === partition).map(({ source }) => Number(source.split("/")[3]));
      expect(sequence).toEqual(sequence.map((_, i) => i + 1));
    }
  });

  it("changes nothing when the whole topic is sent again, or read again after a restore", async () => {
    await bed.send(events(500));
    const first = bed.start();
    await bed.caughtUp();
    const before = await bed.totals();
    await bed.send(events(500));
    await bed.caughtUp();
    expect(await bed.totals()).toEqual(before);
    await first.stop();
    // A restored database: the state is there, the progress is that of an hour ago.
    await bed.sql`UPDATE probe.progress SET next_off = 0`;
    bed.start();
    await bed.caughtUp();
    expect(await bed.totals()).toEqual(before);
    const [row] = await bed.sql`SELECT sum(duplicates)::int AS n FROM probe.tally`;
    expect(row!["n"]).toBe(500 + 1_000);
  });

  it("lets two processes that both believe that they own every partition never both commit", async () => {
    const owners = ["a", "b"].map((name) => bed.start({ program: { ...probeProgram(bed.topic), groupId: `${bed.topic}-${name}` } }));
    await until("both have joined", () => owners.every((owner) => owner.ready));
    for (let i = 0; i < 10; i++) await bed.send(events(200, i * 200));
    await bed.caughtUp();
    expect(sum(await bed.totals())).toBe(2_000);
    const [row] = await bed.sql`SELECT sum(duplicates)::int AS d, sum(events)::int AS e FROM probe.tally`;
    expect(row).toEqual({ d: 0, e: 2_000 });
  });

  it("goes on after a step back of the system's clock: sweeps, marks, what others ask for", async () => {
    await bed.send(events(100));
    const { topic } = bed;
    let sweeps = 0;
    const program = probeProgram(topic);
    bed.start({
      program: { ...program, sweep: async () => ((sweeps += 1), { applied: [], notices: [], more: false }) },
      settings: { sweepIntervalMs: 100 },
    });
    await bed.caughtUp();
    await until("a sweep", () => sweeps > 0);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 3_600_000 });
    await bed.send(events(100, 100));
    await bed.caughtUp();
    const before = sweeps;
    await until("sweeps go on", () => sweeps > before + 2);
    await until("what is published is marked", async () => (await bed.sql`SELECT count(*)::int AS n FROM probe.outbox`)[0]!["n"] === 0);
  });

  it("sweeps in steps of no more customers than allowed, and shows where more is due than a step does", async () => {
    const metrics = new Registry();
    const limits: number[] = [];
    let more = true;
    const sweep = async (_context: unknown, { limit }: { readonly limit: number }) => {
      limits.push(limit);
      return { applied: [], notices: [], more };
    };
    bed.start({ metrics, program: { ...probeProgram(bed.topic), sweep }, settings: { sweepIntervalMs: 100, sweepLimit: 60 } });
    const backlogIs = (count: number) =>
      until(`${count} partitions with more`, async () =>
        (await metrics.metrics()).includes(`perkstream_sweep_backlog{program="probe"} ${count}\n`),
      );
    await backlogIs(bed.partitions);
    expect(limits.length).toBeGreaterThan(bed.partitions);
    expect(Math.max(...limits)).toBeLessThanOrEqual(60);
    more = false;
    await backlogIs(0);
  });

  it("goes on behind poison, with the original bytes in a dead letter", async () => {
    await bed.send([{ id: "a", amount: 1 }, "not json", { id: "b", amount: -1 }, { id: "c", amount: 2 }], () => "k");
    bed.start();
    await bed.caughtUp();
    expect(await bed.totals()).toEqual({ k: 3 });
    const letters = await bed.sql`SELECT reason, off::int AS off, value FROM probe.dead_letter ORDER BY off`;
    expect(letters.map(({ reason, off, value }) => [reason, off, String(value)])).toEqual([
      ["invalid_event", 1, "not json"],
      ["invalid_event", 2, JSON.stringify({ id: "b", amount: -1 })],
    ]);
  });

  it("finds the one event that no column can hold", async () => {
    await bed.send([...events(150), { id: "nul\0", amount: 1 }, ...events(150, 150)], () => "k");
    bed.start();
    await bed.caughtUp();
    expect(await bed.totals()).toEqual({ k: 300 });
    const letters = await bed.sql`SELECT reason, off::int AS off FROM probe.dead_letter`;
    expect([...letters]).toEqual([{ reason: "invalid_event", off: 150 }]);
  });

  it("stops only the partition of a failing event, and gives it up after so many attempts", async () => {
    const program = probeProgram(bed.topic, {
      beforeDecide: ({ event }) => {
        if (event.id === "bug") throw new Error("a bug");
      },
    });
    const host = bed.start({ program, settings: { maxAttempts: 3 } });
    await bed.send(
      [
        { id: "before", amount: 1 },
        { id: "bug", amount: 1 },
        { id: "after", amount: 1 },
      ],
      () => "k",
    );
    await bed.send(events(400));
    await bed.caughtUp();
    // The database has a chunk before the host hears of its commit.
    await until("all run", () => host.report().every(({ status }) => status === "running"));
    expect(await bed.totals()).toMatchObject({ k: 2 });
    const letters = await bed.sql`SELECT reason, message FROM probe.dead_letter`;
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({ reason: "program_error", message: expect.stringContaining("a bug") });
  });

  it("takes nothing for a gap that another owner handled while it asked for the end of the log", async () => {
    await bed.send(events(50), () => "k");
    const first = bed.start();
    await bed.caughtUp();
    await first.stop();
    let answers = 0;
    const kafka = asking(async (offsets) => {
      if (answers++ === 0) await handledElsewhere();
      return offsets;
    });
    async function handledElsewhere(): Promise<void> {
      await bed.send(events(1, 50), () => "k");
      await bed.sql`UPDATE probe.progress SET next_off = 51 WHERE next_off = 50`;
    }
    const host = bed.start({ kafka });
    await until("all partitions run", () => host.ready && host.report().every(({ status }) => status === "running"));
    expect(answers).toBeGreaterThan(0);
    await bed.send(events(10, 51), () => "k");
    await bed.caughtUp();
    expect(await bed.totals()).toEqual({ k: 60 });
  });

  it("asks for the end of the log once more when no answer comes", async () => {
    let answers = 0;
    const kafka = asking((offsets) => (answers++ === 0 ? new Promise(() => {}) : Promise.resolve(offsets)));
    await bed.send(events(50), () => "k");
    bed.start({ kafka });
    await bed.caughtUp();
    expect(answers).toBe(2);
  });

  it("stops a partition whose stored offset the log no longer holds, until the gap is accepted", async () => {
    await bed.send(events(50), () => "k");
    const first = bed.start();
    await bed.caughtUp();
    await first.stop();
    await bed.send(events(50, 50), () => "k");
    const ends = await bed.logEnds();
    const partition = ends.findIndex((end) => end === 100);
    await bed.admin.deleteTopicRecords({ topic: bed.topic, partitions: [{ partition, offset: "70" }] });
    const second = bed.start();
    await until("reported", () => second.report().some(({ status }) => status === "gap"));
    expect(await bed.totals()).toEqual({ k: 50 });
    await second.stop();
    bed.start({ settings: { acceptGap: true } });
    await bed.caughtUp();
    expect(await bed.totals()).toEqual({ k: 80 });
  });

  it("publishes rows that somebody else put into the outbox, in their place", async () => {
    const { withPartitions } = await import("./progress.ts");
    const { noticeId } = await import("./notice-id.ts");
    bed.start();
    await bed.send(events(20), () => "k");
    await bed.caughtUp();
    const partition = (await bed.logEnds()).findIndex((end) => end === 20);
    await withPartitions(bed.sql, { program: "probe", topic: bed.topic, partitions: [partition] }, async ({ emit }) => {
      emit(partition, { id: noticeId("probe", "Commanded", "m", "k", "command-1"), key: "k", value: Buffer.from("command") });
    });
    await bed.send(events(20, 20), () => "k");
    await bed.caughtUp();
    await until("outbox empty", async () => (await bed.sql`SELECT count(*)::int AS n FROM probe.outbox`)[0]!["n"] === 0);
    const notices = await bed.notices();
    expect(notices).toHaveLength(41);
    expect(notices.map(({ source }) => Number(source.split("/")[3]))).toEqual(notices.map((_, i) => i + 1));
    expect(notices[20]!.value).toBe("command");
  });
});

describe("an older database that was restored", () => {
  it("reads again what it lost, and says again only what it said before", async () => {
    const first = bed.start();
    await bed.send(events(300));
    await bed.caughtUp();
    await first.stop();
    // The backup: a copy of the whole database as it is now, rows of the outbox included.
    const backup = new URL(bed.database.url);
    const name = backup.pathname.slice(1);
    backup.pathname = `/${name}_backup`;
    const admin = openSql(inject("stack").postgresUrl, { max: 1, applicationName: "backup" });
    await admin`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${name}`;
    await admin.unsafe(`CREATE DATABASE ${name}_backup TEMPLATE ${name}`);
    // Life goes on, until the database is lost.
    const second = bed.start();
    await bed.send(events(300, 300));
    await bed.caughtUp();
    const before = await bed.totals();
    await second.stop();
    const restored = openSql(backup.href, { max: 2, applicationName: "restored" });
    try {
      expect(sum(await bed.totals(restored))).toBe(300);
      const third = bed.start({ url: backup.href });
      await until("the restored database has caught up", async () => sum(await bed.totals(restored)) === 600);
      await until("published", async () => (await restored`SELECT count(*)::int AS n FROM probe.outbox`)[0]!["n"] === 0);
      expect(await bed.totals(restored)).toEqual(before);
      await third.stop();
      const ids = (await bed.notices()).map(({ source }) => source.split("/")[4]);
      expect(ids.length).toBeGreaterThan(600);
      expect(new Set(ids).size).toBe(600);
    } finally {
      await restored.end();
      await admin.unsafe(`DROP DATABASE IF EXISTS ${name}_backup WITH (FORCE)`);
      await admin.end();
    }
  });
});

describe("an event that cannot be stored", () => {
  it("is found among many partitions, and no other event is blamed", async () => {
    // Every partition has a backlog, so that the lane begins each chunk with another one.
    const all = events(2_000);
    const bad = [301, 1_402, 1_999].map((i) => ({ id: `${all[i]!.id}\0`, amount: 1 }));
    await bed.send([...all.slice(0, 300), bad[0]!, ...all.slice(300, 1_400), bad[1]!, ...all.slice(1_400), bad[2]!]);
    bed.start();
    await bed.caughtUp();
    const letters = await bed.sql`SELECT reason, value FROM probe.dead_letter`;
    expect(letters.map(({ reason, value }) => `${reason} ${value}`).toSorted()).toEqual(
      bad.map((event) => `invalid_event ${JSON.stringify(event)}`).toSorted(),
    );
    expect(sum(await bed.totals())).toBe(2_000);
  });

  it("is found when saving it throws, and tried again before it is given up", async () => {
    const program = probeProgram(bed.topic);
    const broken = {
      ...program,
      save: async (...[context, work]: Parameters<typeof program.save>) => {
        if (work.fresh.includes("e77")) throw new Error("cannot save e77");
        await program.save(context, work);
      },
    };
    bed.start({ program: broken, settings: { maxAttempts: 2 } });
    await bed.send(events(400));
    await bed.caughtUp();
    const letters = await bed.sql`SELECT reason, message, value FROM probe.dead_letter`;
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({ reason: "program_error", message: expect.stringContaining("cannot save e77") });
    expect(sum(await bed.totals())).toBe(399);
  });
});

describe("a partition that has to wait for another program", () => {
  let open: boolean;
  beforeEach(() => void (open = false));

  /** Hosts of a program that may not handle partition 0 before `open`. */
  const start = () => {
    const horizon = async (entries: ReadonlyMap<number, unknown>) =>
      new Map([...entries.keys()].filter((part) => part === 0 && !open).map((part) => [part, 0]));
    return bed.start({ program: { ...probeProgram(bed.topic), horizon }, settings: { chunkSize: 50, maxBuffered: 100, lanes: 1 } });
  };
  const sendAndWaitForOthers = async () => {
    await bed.send(events(4_000), (_event, i) => `key-${i % 40}`);
    const ends = await bed.logEnds();
    await until("the other partitions are done", async () => {
      const at = await handled();
      return ends.every((end, part) => part === 0 || at.get(part) === end);
    });
    expect((await handled()).get(0)).toBe(0);
  };
  const handled = async () => {
    const rows = await bed.sql<{ part: number; next_off: bigint }[]>`SELECT part, next_off FROM probe.progress WHERE topic = ${bed.topic}`;
    return new Map(rows.map(({ part, next_off }) => [part, Number(next_off)]));
  };

  it("does not keep the others from being read", async () => {
    start();
    await sendAndWaitForOthers();
    open = true;
    await bed.caughtUp();
    expect(sum(await bed.totals())).toBe(4_000);
  });

  it("is read on after it was given away and came back", async () => {
    const host = start();
    await sendAndWaitForOthers();
    const other = start();
    await until("two have the partitions", () => other.ready && host.report().length < bed.partitions);
    await other.stop();
    await until("one has them again", () => host.report().length === bed.partitions);
    open = true;
    await bed.caughtUp();
    expect(sum(await bed.totals())).toBe(4_000);
  });
});
