import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { testBed, until, type Bed } from "./testing/harness.ts";
import { tcpProxy, type Proxy } from "./testing/proxy.ts";

const events = (count: number, from = 0) => Array.from({ length: count }, (_, i) => ({ id: `e${from + i}`, amount: 1 }));
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
    const host = bed.start({ url: throughProxy });
    await bed.send(events(300));
    await bed.caughtUp();
    proxy.cut();
    await bed.send(events(700, 300));
    const backAt = performance.now() + 20_000;
    await until("20 s have passed", () => performance.now() > backAt, 25_000);
    expect(sum(await bed.totals())).toBe(300);
    proxy.mend();
    await bed.caughtUp(10_000);
    expect(sum(await bed.totals())).toBe(1_000);
    expect(await bed.sql`SELECT * FROM probe.dead_letter`).toHaveLength(0);
    expect(host.report().every(({ status }) => status === "running")).toBe(true);
  }, 60_000);

  it("between COMMIT and its answer: whether it happened is read from the stored progress", async () => {
    let cuts = 0;
    // The answer to COMMIT ends with its command tag and "ready, idle".
    proxy.onAnswer = (chunk) => !(cuts < 3 && chunk.includes("COMMIT\0Z\0\0\0\x05I") && ++cuts > 0);
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
