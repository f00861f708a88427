import { randomBytes } from "node:crypto";
import { openSql } from "@perkstream/postgres";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { silent, testBed, until, type Bed } from "./testing/harness.ts";

let bed: Bed;
beforeEach(async () => {
  bed = await testBed(inject("stack"), 2);
});
afterEach(() => bed.close());

const events = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `e${i}`, amount: 1 }));
const untilPublished = (count: number) =>
  until(`${count} dead letters are published`, async () => {
    const [row] = await bed.sql<{ n: number }[]>`SELECT count(published_at)::int AS n FROM probe.dead_letter`;
    return row!.n === count;
  });

describe("a dead letter", () => {
  it("is published once, with its bytes, headers and coordinates, and why", async () => {
    const key = Buffer.from([0xff, 0, 0xc3]);
    const value = Buffer.from([0, 1, 2, 0xfe]);
    const headers = { trace: Buffer.from([0xff, 7]), source: "elsewhere" };
    const [sent] = await bed.producer.send({ topic: bed.topic, messages: [{ key, value, headers, timestamp: "1234" }] });
    await bed.send(events(20));
    const first = bed.start();
    await untilPublished(1);
    await first.stop();
    bed.start();
    await bed.producer.send({ topic: bed.topic, messages: [{ key: null, value: null }] });
    await untilPublished(2);
    const stored = await bed.sql<{ id: string; message: string }[]>`SELECT id, message FROM probe.dead_letter ORDER BY created_at`;
    const letters = await bed.deadLetters();
    expect(letters.map((letter) => letter.headers["dead-letter-id"]).sort()).toEqual(stored.map(({ id }) => id).sort());
    const found = letters.find((letter) => letter.headers["dead-letter-id"] === stored[0]!.id)!;
    expect([found.key, found.value]).toEqual([key, value]);
    expect(found.headers).toEqual({
      trace: headers.trace.toString(),
      source: "elsewhere",
      "dead-letter-id": stored[0]!.id,
      "dead-letter-program": "probe",
      "dead-letter-reason": "invalid_event",
      "dead-letter-message": stored[0]!.message,
      "dead-letter-topic": bed.topic,
      "dead-letter-partition": String(sent!.partition),
      "dead-letter-offset": sent!.baseOffset,
      "dead-letter-timestamp": "1234",
    });
    expect(letters.find((letter) => letter !== found)).toMatchObject({ key: null, value: null });
  });

  it("that is too large for another record is published without its value, which its row keeps", async () => {
    const value = randomBytes(950 * 1024);
    const large = Array.from({ length: 3 }, (_, i) => ({ key: `k${i}`, value }));
    for (const message of large) await bed.producer.send({ topic: bed.topic, messages: [message] });
    await bed.send(["broken", "broken too"]);
    bed.start();
    await untilPublished(5);
    const letters = await bed.deadLetters();
    const leftOut = letters.filter(({ headers }) => headers["dead-letter-left-out"] !== undefined);
    expect(leftOut.map((letter) => [String(letter.key), letter.value]).sort()).toEqual(large.map(({ key }) => [key, null]));
    expect(letters.map((letter) => String(letter.value))).toEqual(expect.arrayContaining(["broken", "broken too"]));
    const [row] = await bed.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM probe.dead_letter WHERE value = ${value}`;
    expect(row!.n).toBe(3);
  });

  it("whose many or long header names are too large for another record does not keep others from being published", async () => {
    const many = Object.fromEntries(Array.from({ length: 170_000 }, (_, i) => [i.toString(36).padStart(4, "0"), ""]));
    const long = { ["€".repeat(310_000)]: "" };
    for (const headers of [many, long]) await bed.producer.send({ topic: bed.topic, messages: [{ key: "k", value: "broken", headers }] });
    await bed.send(["broken too"]);
    bed.start();
    await untilPublished(3);
    const letters = await bed.deadLetters();
    const isWhole = ({ headers }: (typeof letters)[number]) => headers["dead-letter-left-out"] === undefined;
    expect(letters.filter(isWhole).map(({ value }) => String(value))).toEqual(["broken too"]);
  });

  it("of a size that several do not fit into one batch is published with what it has", async () => {
    const [value, header] = [randomBytes(450 * 1024), randomBytes(450 * 1024)];
    const large = Array.from({ length: 6 }, (_, i) =>
      i % 2 === 0 ? { key: "k", value } : { key: "k", value: "broken", headers: { header } },
    );
    for (const message of large) await bed.producer.send({ topic: bed.topic, messages: [message] });
    bed.start();
    await untilPublished(6);
    const letters = await bed.deadLetters();
    expect(letters.map((letter) => letter.value)).toEqual(large.map((message) => Buffer.from(message.value)));
    expect(letters.map(({ headers }) => headers["header"])).toEqual(large.map(({ headers }) => headers?.header.toString()));
  });

  it("waits in its table while the topic is not there, and keeps nobody from going on", async () => {
    const deadLetterTopic = `${bed.deadLetterTopic}-late`;
    let refused = 0;
    const log = { ...silent, warn: (_fields: object, message: string) => void (refused += Number(message.includes("not published"))) };
    bed.start({ deadLetterTopic, log });
    await bed.send(["broken", ...events(50)]);
    await bed.caughtUp();
    await until("it was tried again", () => refused >= 2);
    expect(await bed.sql`SELECT FROM probe.dead_letter WHERE published_at IS NULL`).toHaveLength(1);
    await bed.admin.createTopics({ waitForLeaders: false, topics: [{ topic: deadLetterTopic }] });
    await untilPublished(1);
    await bed.admin.deleteTopics({ topics: [deadLetterTopic] });
  });

  it("costs a chunk that has none nothing", async () => {
    const statements: string[] = [];
    const sql = openSql(bed.database.url, {
      max: 6,
      applicationName: "probe-host",
      role: "perkstream_probe",
      onStatement: (text) => void statements.push(text),
    });
    const host = bed.start({ sql });
    await until("the host has its partitions", () => host.ready);
    const before = statements.length;
    const startedAt = performance.now();
    for (let i = 0; i < 10; i++) {
      await bed.send(events(20 * (i + 1)).slice(20 * i));
      await bed.caughtUp();
    }
    await host.stop();
    const tookMs = performance.now() - startedAt;
    await sql.end();
    const since = statements.slice(before);
    expect(since.filter((text) => text.includes("INTO probe.seen")).length).toBeGreaterThanOrEqual(10);
    // One look for those of others every five seconds.
    expect(since.filter((text) => text.includes("dead_letter")).length).toBeLessThanOrEqual(2 + tookMs / 5_000);
  });
});
