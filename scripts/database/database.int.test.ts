import { fileURLToPath } from "node:url";
import { openSql, type Migrations, type Sql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { allMigrations } from "./all-migrations.ts";
import { describeDatabase } from "./describe.ts";

const golden = fileURLToPath(new URL("schema.txt", import.meta.url));

let all: Migrations[];
let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  all = await allMigrations();
  database = await testDatabase(inject("stack").postgresUrl, all);
  sql = openSql(database.url, { max: 1, applicationName: "database-test" });
});

afterAll(async () => {
  await sql?.end();
  await database?.drop();
});

describe("a freshly migrated database", () => {
  it("is what schema.txt says (after a change: `npm run database -- describe`, and look at what it wrote)", async () => {
    await expect(await describeDatabase(sql)).toMatchFileSnapshot(golden);
  });

  it("has the tables that rights name, and names every table in the rights of somebody", async () => {
    const rows = await sql<{ name: string }[]>`
      SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(string_to_array(${all.map(({ schema }) => schema).join(",")}, ','))`;
    const named = all.flatMap(({ rights = {} }) =>
      Object.values(rights).flatMap((schemas) =>
        Object.entries(schemas).flatMap(([schema, tables]) => Object.keys(tables).map((table) => `${schema}.${table}`)),
      ),
    );
    expect([...new Set(named)].sort()).toEqual(rows.map(({ name }) => name).sort());
  });
});
