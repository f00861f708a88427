import { migrations as merchantMigrations } from "@perkstream/merchant";
import { openSql, type Sql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { migrations } from "./migrations.ts";
import { play } from "./testing/compare.ts";
import { DatabaseWorld } from "./testing/database.ts";
import { cashbackVectors } from "./testing/vectors.ts";

let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  database = await testDatabase(inject("stack").postgresUrl, [merchantMigrations, migrations]);
  sql = openSql(database.url, { max: 3, applicationName: "cashback-test" });
});

afterAll(async () => {
  await sql.end();
  await database.drop();
});

describe("vectors.json through the program and Postgres, cashback's side", () => {
  for (const vector of cashbackVectors()) {
    test(`${vector.id} ${vector.title}`, async () => {
      expect(await play(vector, await DatabaseWorld.open(sql, vector))).toEqual([]);
    });
  }
});
