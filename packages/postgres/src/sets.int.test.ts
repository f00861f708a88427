import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { parseInt8Array } from "./array-text.ts";
import { openSql, type Sql } from "./connect.ts";
import { fromSet, insertSet, updateSet } from "./sets.ts";
import { testDatabase, type TestDatabase } from "./testing/database.ts";

let database: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  database = await testDatabase(inject("stack").postgresUrl, []);
  sql = openSql(database.url, { max: 2, applicationName: "sets-test" });
  await sql.unsafe(
    `CREATE TABLE wide (id int4 PRIMARY KEY, big int8, name text, uid uuid, flag bool, bytes bytea, day date, at timestamptz, doc jsonb, many int8[], words text[])`,
  );
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

const COLUMNS = {
  id: "int4",
  big: "int8",
  name: "text",
  uid: "uuid",
  flag: "bool",
  bytes: "bytea",
  day: "date",
  at: "timestamptz",
  doc: "jsonb",
  many: "int8[]",
  words: "text[]",
} as const;

const UID = "4f981b0b-accf-4eb7-8018-7cd651c7e907";
const hostile = ['"', "\\", "{}", "a,b", "NULL", "", " spaced ", "new\nline", "ünï€😀", "null", "'; DROP TABLE wide; --"];

describe("sets", () => {
  it("store and give back every type, null and awkward text included", async () => {
    const rows = hostile.map((name, i) => ({
      id: i,
      big: 2n ** 63n - 1n - BigInt(i),
      name,
      uid: UID,
      flag: i % 2 === 0,
      bytes: Buffer.from([0, 255, i]),
      day: -1 + i,
      at: 1_700_000_000_123 + i,
      doc: { name, list: [1, null] },
      many: [1n, -5],
      words: hostile,
    }));
    const empty = {
      id: 99,
      big: null,
      name: null,
      uid: null,
      flag: null,
      bytes: null,
      day: null,
      at: null,
      doc: null,
      many: null,
      words: null,
    };
    const none = { ...rows[0]!, id: 100, bytes: Buffer.alloc(0), many: [], words: [] };
    await insertSet(sql, "wide", COLUMNS, [...rows, empty, none]);
    const stored = await sql`SELECT *, to_json(words) AS listed FROM wide ORDER BY id`;
    for (const [i, row] of rows.entries()) {
      const found = stored[i]!;
      expect(found).toMatchObject({ id: i, big: row.big, name: row.name, uid: UID, flag: row.flag, doc: row.doc, listed: hostile });
      expect(Buffer.compare(found["bytes"] as Buffer, row.bytes)).toBe(0);
      expect(found["day"]).toBe(new Date(row.day * 86_400_000).toISOString().slice(0, 10));
      expect((found["at"] as Date).getTime()).toBe(row.at);
      expect(parseInt8Array(String(found["many"]))).toEqual([1, -5]);
    }
    expect(Object.values(stored.at(-2)!).filter((value) => value !== null)).toEqual([99]);
    expect(stored.at(-1)).toMatchObject({ many: "{}", listed: [] });
    expect((stored.at(-1)!["bytes"] as Buffer).length).toBe(0);
  });

  it("update by key, and join as a FROM item behind other parameters", async () => {
    await updateSet(sql, "wide", ["id"], { id: "int4", name: "text", bytes: "bytea" }, [
      { id: 1, name: "changed", bytes: Buffer.from("x") },
    ]);
    const set = fromSet(
      { id: "int4", bytes: "bytea" } as const,
      [
        { id: 1, bytes: Buffer.from("x") },
        { id: 2, bytes: Buffer.from("no") },
      ],
      2,
    );
    const found = await sql.unsafe(`SELECT w.name, $1::text AS first FROM ${set.text} r JOIN wide w ON w.id = r.id AND w.bytes = r.bytes`, [
      "given",
      ...set.params,
    ]);
    expect([...found]).toEqual([{ name: "changed", first: "given" }]);
  });

  it("keep their types at the ends of the ranges", async () => {
    const rows = [
      { id: 5_001, big: -(2n ** 63n), at: -62_135_596_800_000, day: -719_162 },
      { id: 5_002, big: Number.MAX_SAFE_INTEGER, at: 253_402_300_799_999, day: 2_932_896 },
      { id: 5_003, big: -1, at: 0.4, day: 0 },
      { id: 5_004, big: Number.MIN_SAFE_INTEGER, at: 946_684_800_000, day: 10_957 },
    ];
    await insertSet(sql, "wide", { id: "int4", big: "int8", at: "timestamptz", day: "date" }, rows);
    const stored = await sql`SELECT big, at::text AS at, day::text AS day FROM wide WHERE id BETWEEN 5001 AND 5004 ORDER BY id`;
    expect(stored.map((row) => [row["big"], row["at"], row["day"]])).toEqual([
      [-(2n ** 63n), "0001-01-01 00:00:00+00", "0001-01-01"],
      [9_007_199_254_740_991n, "9999-12-31 23:59:59.999+00", "9999-12-31"],
      [-1n, "1970-01-01 00:00:00.0004+00", "1970-01-01"],
      [-9_007_199_254_740_991n, "2000-01-01 00:00:00+00", "2000-01-01"],
    ]);
  });

  it("refuse what a type cannot hold", async () => {
    await expect(insertSet(sql, "wide", { id: "int4" }, [{ id: 2 ** 31 }])).rejects.toThrow(RangeError);
    await expect(insertSet(sql, "wide", { id: "int4", big: "int8" }, [{ id: 1, big: 0.5 }])).rejects.toThrow(RangeError);
    await expect(
      insertSet(sql, "wide", { id: "int4", uid: "uuid" }, [{ id: 1, uid: "zz981b0b-accf-4eb7-8018-7cd651c7e907" }]),
    ).rejects.toThrow(RangeError);
    await expect(insertSet(sql, "wide", { id: "int4", name: "text" }, [{ id: 6_000, name: "\0" }])).rejects.toMatchObject({
      code: "22021",
    });
  });

  it("write nothing for no rows", async () => {
    expect(await insertSet(sql, "wide", { id: "int4" }, [])).toEqual([]);
  });
});
