import { openSql } from "@perkstream/postgres";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { FenceLostError } from "./errors.ts";
import { noticeId } from "./notice-id.ts";
import { lockProgress, withPartitions, type ProgramScope } from "./progress.ts";
import { takeOver } from "./statements.ts";
import { testBed, until, type Bed } from "./testing/harness.ts";
import { PROBE_SCOPE, probeProgram, type ProbeEvent } from "./testing/probe.ts";
import { commitChunk, commitSweep, type PartitionChunk } from "./transaction.ts";

let bed: Bed;
let scope: ProgramScope;
beforeEach(async () => {
  bed = await testBed(inject("stack"), 2);
  scope = { program: "probe", topic: bed.topic };
});
afterEach(() => bed.close());

const nothingKnown = { acknowledged: new Map<number, number>(), queued: new Map<number, number>() };
const outboxRows = async () => (await bed.sql`SELECT FROM probe.outbox`).count;

function chunkOf(epoch: number, ids: readonly string[]): PartitionChunk<ProbeEvent> {
  const entries = ids.map((id, offset) => {
    const event = { id, amount: 1 };
    const record = { partition: 0, offset, timestamp: 1, key: Buffer.from("k"), value: Buffer.from(JSON.stringify(event)), headers: {} };
    return { record, scope: PROBE_SCOPE, event };
  });
  return { partition: 0, nextOffset: 0, endOffset: ids.length, epoch, entries, deadLetters: [] };
}

describe("an owner that was frozen and finds its offset unchanged", () => {
  it("commits no chunk and no sweep: the epoch is another's", async () => {
    const program = probeProgram(bed.topic, { sweeps: 1 });
    await takeOver(bed.sql, program, new Map([[0, 7]]));
    await takeOver(bed.sql, program, new Map([[0, 8]]));
    const request = { partition: 0, until: 1, backlog: false, scope: null, limit: 10 };
    await expect(commitChunk(bed.sql, program, [chunkOf(7, ["a"])], nothingKnown)).rejects.toThrow(FenceLostError);
    await expect(commitSweep(bed.sql, program, chunkOf(7, []), request, nothingKnown)).rejects.toThrow(FenceLostError);
    expect(await bed.totals()).toEqual({});
    expect(await outboxRows()).toBe(0);
    await commitChunk(bed.sql, program, [chunkOf(8, ["a"])], nothingKnown);
    expect(await bed.totals()).toEqual({ k: 1 });
  });
});

describe("a frozen holder of a lock", () => {
  it("holds up others for no longer than the server lets a transaction idle", async () => {
    const frozen = openSql(bed.database.url, { max: 1, applicationName: "frozen" });
    let isLocked = false;
    const held = frozen.begin(async (tx) => {
      await lockProgress(tx, scope, [0, 1]);
      isLocked = true;
      await new Promise(() => {});
    });
    const ended = expect(held).rejects.toThrow(/CONNECTION_CLOSED|idle-in-transaction/);
    await until("it holds the lock", () => isLocked);
    const lockedAt = performance.now();
    // Others do not wait for it for ever, and the host tries again.
    expect(await bed.sql`SHOW lock_timeout`).toEqual([{ lock_timeout: "3s" }]);
    const hasty = openSql(bed.database.url, { max: 1, applicationName: "hasty", lockTimeoutMs: 200 });
    await expect(withPartitions(hasty, { ...scope, partitions: [0] }, async () => {})).rejects.toMatchObject({ code: "55P03" });
    await hasty.end({ timeout: 1 });
    await bed.send([{ id: "a", amount: 1 }]);
    bed.start();
    await bed.caughtUp();
    const tookMs = performance.now() - lockedAt;
    expect(tookMs).toBeGreaterThan(4_000);
    expect(tookMs).toBeLessThan(30_000);
    await ended;
    await frozen.end({ timeout: 1 });
  });

  it("is ended in any case after the time of a whole transaction, and found by keepalives when it is gone", async () => {
    const pool = openSql(bed.database.url, { max: 1, applicationName: "slow", transactionTimeoutMs: 200 });
    const begunAt = performance.now();
    await expect(pool.begin((tx) => tx`SELECT pg_sleep(60)`)).rejects.toThrow(/CONNECTION_CLOSED|transaction timeout/);
    expect(performance.now() - begunAt).toBeLessThan(30_000);
    await pool.end({ timeout: 1 });
    const names = ["transaction_timeout", "tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count"];
    const rows = await bed.sql<
      { name: string; setting: string }[]
    >`SELECT name, setting FROM pg_settings WHERE name = ANY(${`{${names.join(",")}}`}::text[])`;
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
      transaction_timeout: "30000",
      tcp_keepalives_idle: "5",
      tcp_keepalives_interval: "2",
      tcp_keepalives_count: "3",
    });
  });
});

describe("a row that somebody else puts into the outbox", () => {
  const emitOne = (key: string) =>
    withPartitions(bed.sql, { ...scope, partitions: [0] }, async ({ emit }) => {
      emit(0, { id: noticeId("probe", "Commanded", PROBE_SCOPE, key, key), key, value: Buffer.from(key) });
    });
  const slow = 600_000;

  it("is published and marked at once: the owner hears of it by NOTIFY", async () => {
    const host = bed.start({ settings: { pollIntervalMs: slow } });
    await until("the host has its partitions", () => host.ready);
    const listens = () => bed.sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'probe-host'
      AND query ILIKE 'listen%' AND state = 'idle'`;
    await until("it listens", async () => (await listens()).count > 0);
    await emitOne("told");
    await until("published and marked", async () => (await outboxRows()) === 0);
    expect((await bed.notices()).map(({ value }) => value)).toEqual(["told"]);
  });

  it("is found without it, by looking", async () => {
    const host = bed.start();
    await until("the host has its partitions", () => host.ready);
    await bed.sql`WITH numbered AS (UPDATE probe.progress SET out_seq = 1 WHERE topic = ${bed.topic} AND part = 0 RETURNING epoch)
      INSERT INTO probe.outbox (part, seq, epoch, id, key, value) SELECT 0, 1, epoch, gen_random_uuid(), 'k', 'found' FROM numbered`;
    await until("published and marked", async () => (await outboxRows()) === 0);
    expect((await bed.notices()).map(({ value }) => value)).toEqual(["found"]);
  });
});

describe("a stored offset above the end of the log", () => {
  it("stops its partition until the gap is accepted", async () => {
    await bed.send([{ id: "a", amount: 1 }], () => "k");
    const partition = (await bed.logEnds()).indexOf(1);
    await bed.sql`UPDATE probe.progress SET next_off = 5 WHERE topic = ${bed.topic} AND part = ${partition}`;
    const errors: object[] = [];
    const host = bed.start({
      log: { debug() {}, info() {}, warn() {}, error: (fields, message) => void errors.push({ ...fields, message }) },
    });
    await until("reported", () => host.report().some(({ status }) => status === "gap"));
    expect(errors).toEqual([
      expect.objectContaining({
        partition,
        storedOffset: 5,
        logBegins: 0,
        logEnds: 1,
        message: expect.stringContaining("--accept-gap") as string,
      }),
    ]);
    expect(host.report().filter(({ status }) => status === "running")).toHaveLength(bed.partitions - 1);
    await host.stop();
    const second = bed.start({ settings: { acceptGap: true } });
    await until("it goes on", () => second.ready);
    await bed.send([{ id: "b", amount: 2 }], () => "k");
    await until("what comes then is counted", async () => (await bed.totals())["k"] === 2);
  });
});

describe("offsets that the log skips", () => {
  it("are no gap: the progress moves over aborted records and markers, at the end of the log too", async () => {
    // The first transaction of a broker waits until the coordinator's own topic is there.
    const retry = { retries: 30 };
    const producer = bed.kafka.producer({ transactionalId: bed.topic, maxInFlightRequests: 1, idempotent: true, retry });
    await producer.connect();
    const say = async (id: string, end: "commit" | "abort") => {
      const transaction = await producer.transaction();
      await transaction.send({ topic: bed.topic, messages: [{ partition: 0, key: "k", value: JSON.stringify({ id, amount: 1 }) }] });
      await transaction[end]();
    };
    await say("a", "commit");
    await say("aborted", "abort");
    await say("b", "commit");
    await say("aborted too", "abort");
    // The coordinator writes the marker of an end after it has answered.
    const endsAt = (offset: number) => expect.poll(async () => (await bed.logEnds())[0]).toBe(offset);
    await endsAt(8);
    const host = bed.start();
    await bed.caughtUp();
    // What is fetched now has nothing that is handled.
    await say("aborted later", "abort");
    await producer.disconnect();
    await endsAt(10);
    await bed.caughtUp();
    expect(await bed.totals()).toEqual({ k: 2 });
    expect(host.report().map(({ status }) => status)).toEqual(["running", "running"]);
  });
});
