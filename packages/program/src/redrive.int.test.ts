import { openSql, type Sql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createDriver, type Driver } from "./driver.ts";
import type { Program, SourceRecord } from "./program.ts";
import { withPartitions } from "./progress.ts";
import { findDeadLetter, redrive } from "./redrive.ts";
import { probeMigrations, probeProgram, type ProbeEvent, type ProbeWork } from "./testing/probe.ts";

const TOPIC = "redrive";

let database: TestDatabase;
let sql: Sql;
let driver: Driver;
/** Ids that do not decode, and ids at which the program fails. */
const broken = new Set<string>();
const failing = new Set<string>();

const probe = probeProgram(TOPIC, {
  beforeDecide({ event }) {
    if (failing.has(event.id)) throw new Error("a bug");
  },
});
const program: Program<ProbeEvent, ProbeWork> = {
  ...probe,
  decode(record) {
    const decoded = probe.decode(record);
    if ("rejected" in decoded || !broken.has(decoded.event.id)) return decoded;
    return { rejected: { reason: "invalid_event", message: "broken" }, scope: decoded.scope };
  },
  redriven: async (_context, work) => ({ customer: 7, asOf: 1_000, detail: { fresh: [...work.fresh] } }),
};

beforeAll(async () => {
  database = await testDatabase(inject("stack").postgresUrl, [probeMigrations]);
  sql = openSql(database.url, { max: 3, applicationName: "redrive-test" });
  driver = await createDriver(program, sql, 2);
});

afterAll(async () => {
  await sql.end();
  await database.drop();
});

const record = (id: string) => ({ timestamp: 5_000, key: Buffer.from("k"), value: Buffer.from(JSON.stringify({ id, amount: 1 })) });

/** A record that was broken when it was read, then whatever `after` brings; its newest dead letter. */
async function deadLetterOf(id: string, after: readonly string[] = []) {
  broken.add(id);
  await driver.feed([record(id), ...after.map(record)]);
  broken.delete(id);
  const [row] = await sql<{ id: string }[]>`SELECT id FROM probe.dead_letter ORDER BY created_at DESC, off DESC LIMIT 1`;
  const found = await findDeadLetter(sql, { program: "probe", topic: TOPIC }, row!.id);
  if (found === null) throw new Error("there is no dead letter");
  return found;
}

const again = ({ id, record: at }: { readonly id: string; readonly record: SourceRecord }) =>
  withPartitions(sql, { program: "probe", topic: TOPIC, partitions: [at.partition] }, (context) => redrive(context, program, at, id));

const lettersAt = ({ partition, offset }: SourceRecord) => sql<{ reason: string; message: string; redriven: boolean }[]>`
  SELECT reason, message, redriven_at IS NOT NULL AS redriven FROM probe.dead_letter WHERE part = ${partition} AND off = ${offset} ORDER BY created_at`;

const appliedAt = ({ offset }: SourceRecord) => sql<{ off: bigint; n: bigint; customer: bigint; detail: object }[]>`
  SELECT off, n, customer, detail FROM probe.applied WHERE kind = 'redrive' AND (detail ->> 'offset')::int = ${offset}`;

describe("a dead letter that is read once more", () => {
  it("is applied before the next offset, told of with the ids of its own, and counted as read once", async () => {
    const letter = await deadLetterOf("late", ["after"]);
    expect(await sql`SELECT id FROM probe.seen WHERE id = 'late'`).toHaveLength(0);
    const [before] = await sql`SELECT events, duplicates FROM probe.tally`;
    expect(await again(letter)).toBe("applied");
    expect(await sql`SELECT id FROM probe.seen WHERE id = 'late'`).toHaveLength(1);
    expect(await lettersAt(letter.record)).toEqual([{ reason: "invalid_event", message: "broken", redriven: true }]);
    const { partition, offset } = letter.record;
    expect(await appliedAt(letter.record)).toEqual([
      {
        off: BigInt(driver.nextOffset(0)),
        n: 1n,
        customer: 7n,
        detail: { topic: TOPIC, partition, offset, result: "applied", fresh: ["late"] },
      },
    ]);
    expect(await sql`SELECT convert_from(value, 'UTF8') AS value FROM probe.outbox ORDER BY seq DESC LIMIT 1`).toEqual([{ value: "late" }]);
    expect(await again(letter)).toBe("duplicate");
    expect(await appliedAt(letter.record)).toHaveLength(1);
    expect(await sql`SELECT events, duplicates FROM probe.tally`).toEqual([{ ...before, duplicates: 1n }]);
    // The owner goes on as if nothing had happened.
    await driver.feed([record("next")]);
    expect(driver.outcomes.at(-1)).toMatchObject({ result: "applied" });
  });

  it("makes another one while its cause is there", async () => {
    const letter = await deadLetterOf("still");
    broken.add("still");
    expect(await again(letter)).toEqual({ reason: "invalid_event", message: "broken" });
    expect((await lettersAt(letter.record)).map(({ redriven }) => redriven)).toEqual([true, false]);
  });

  it("makes another one when the program fails at it or no column can hold it, and nothing else", async () => {
    const failed = await deadLetterOf("bug");
    failing.add("bug");
    expect(await again(failed)).toEqual({ reason: "program_error", message: "a bug" });
    const hostile = await deadLetterOf("nul\0");
    expect(await again(hostile)).toMatchObject({ reason: "invalid_event", message: expect.stringContaining("cannot be stored") as string });
    expect(await lettersAt(hostile.record)).toMatchObject([{ redriven: true }, { redriven: false, reason: "invalid_event" }]);
    expect(await appliedAt(failed.record)).toEqual([]);
    failing.clear();
    expect(await again(failed)).toBe("applied");
    expect((await lettersAt(failed.record)).map(({ redriven }) => redriven)).toEqual([true, true]);
  });

  it("is there only where the program has one of that record", async () => {
    const letter = await deadLetterOf("mine");
    expect(await again({ ...letter, record: { ...letter.record, offset: letter.record.offset + 1_000 } })).toBeNull();
    expect(await again({ ...letter, record: { ...letter.record, partition: 1 } })).toBeNull();
    expect(await findDeadLetter(sql, { program: "probe", topic: "another" }, letter.id)).toBeNull();
  });
});
