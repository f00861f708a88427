import { Registry } from "@perkstream/service";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { RunningProgram } from "./host.ts";
import { testBed, until, type Bed } from "./testing/harness.ts";
import { tcpProxy, type Proxy } from "./testing/proxy.ts";

const events = (count: number, from = 0) => Array.from({ length: count }, (_, i) => ({ id: `e${from + i}`, amount: 1 }));
const buffered = (host: RunningProgram) => host.report().reduce((all, one) => all + one.buffered, 0);
const sum = (totals: Record<string, number>) => Object.values(totals).reduce((a, b) => a + b, 0);

let bed: Bed;
let proxy: Proxy;
let throughProxy: string;
beforeEach(async () => {
  bed = await testBed(inject("stack"));
  const direct = new URL(bed.database.url);
  proxy = await tcpProxy({ host: direct.hostname, port: Number(direct.port) });
  direct.host = `127.0.0.1:${proxy.port}`;
  throughProxy = direct.href;
});
afterEach(async () => {
  await bed.close();
  await proxy.close();
});

describe("an outage of the database", () => {
  it("of 20 s is waited for, and nothing becomes a dead letter", async () => {
    const metrics = new Registry();
    const host = bed.start({ url: throughProxy, metrics });
    await bed.send(events(300));
    await bed.caughtUp();
    proxy.cut();
    await bed.send(events(700, 300));
    const backAt = performance.now() + 20_000;
    await until("20 s have passed", () => performance.now() > backAt);
    expect(sum(await bed.totals())).toBe(300);
    proxy.mend();
    await bed.caughtUp();
    expect(sum(await bed.totals())).toBe(1_000);
    const text = await metrics.metrics();
    expect(text).toMatch(/^perkstream_retries_total\{.*kind="outage"\} [1-9]/m);
    expect(text).not.toMatch(/^perkstream_retries_total\{.*kind="(data|defect)"\} [1-9]/m);
    expect(await bed.sql`SELECT * FROM probe.dead_letter`).toHaveLength(0);
    expect(host.report().every(({ status }) => status === "running")).toBe(true);
  });

  it("that is slow, then frozen: the lag grows, what waits in memory does not, and all of it is caught up with", async () => {
    const settings = { maxBuffered: 400, chunkSize: 100, sweepIntervalMs: 60_000 };
    const host = bed.start({ url: throughProxy, settings });
    await bed.send(events(100));
    await bed.caughtUp();
    // A fetch that was under way when the buffers were full is still taken: its records come on top.
    const inOneFetch = 250;
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, buffered(host))), 20);
    const sendMore = async (from: number, count: number) => {
      for (let at = from; at < from + count; at += inOneFetch) await bed.send(events(inOneFetch, at));
    };
    try {
      proxy.delayMs = 300;
      await sendMore(100, 4_000);
      // The log's own ends: a host that fetches nothing does not hear of them.
      const behind = async () => (await bed.logEnds()).reduce((all, end) => all + end, 0) - sum(await bed.totals());
      expect(await behind()).toBeGreaterThan(2_000);
      proxy.hold();
      await sendMore(4_100, 1_000);
      const held = performance.now() + 7_000; // longer than the server lets a transaction idle
      await until("it was frozen for 7 s", () => performance.now() > held);
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(settings.maxBuffered + bed.partitions * inOneFetch);
      proxy.delayMs = 0;
      proxy.mend();
      await bed.caughtUp();
    } finally {
      clearInterval(watch);
    }
    expect(sum(await bed.totals())).toBe(5_100);
    expect(await bed.sql`SELECT * FROM probe.dead_letter`).toHaveLength(0);
  }, 180_000);

  it("between COMMIT and its answer: whether it happened is read from the stored progress", async () => {
    let cuts = 0;
    let inChunk = false;
    proxy.onRequest = (chunk) => {
      inChunk ||= cuts < 3 && chunk.includes("probe.seen");
      return true;
    };
    proxy.onAnswer = (chunk) => {
      // The answer to COMMIT ends with its command tag and "ready, idle".
      if (!inChunk || !chunk.includes("COMMIT\0Z\0\0\0\x05I")) return true;
      inChunk = false;
      cuts += 1;
      return false;
    };
    bed.start({ url: throughProxy });
    for (let i = 0; i < 5; i++) {
      await bed.send(events(100, i * 100));
      await bed.caughtUp();
    }
    expect(cuts).toBe(3);
    expect(sum(await bed.totals())).toBe(500);
    await until("outbox empty", async () => (await bed.sql`SELECT count(*)::int AS n FROM probe.outbox`)[0]!["n"] === 0);
    const notices = await bed.notices();
    expect(new Set(notices.map(({ source }) => source.split("/")[4])).size).toBe(500);
    const [row] = await bed.sql`SELECT sum(duplicates)::int AS n FROM probe.tally`;
    expect(row!["n"]).toBe(0);
  });
});
