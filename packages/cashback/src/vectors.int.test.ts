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
let own: Sql;

beforeAll(async () => {
  database = await testDatabase(inject("stack").postgresUrl, [merchantMigrations, migrations]);
  sql = openSql(database.url, { max: 3, applicationName: "cashback-test", role: "perkstream_api" });
  own = openSql(database.url, { max: 3, applicationName: "cashback-test", role: "perkstream_cashback" });
});

afterAll(async () => {
  await Promise.all([sql.end(), own.end()]);
  await database.drop();
});

describe("vectors.json through the program and Postgres, cashback's side", () => {
  for (const vector of cashbackVectors()) {
    test(`${vector.id} ${vector.title}`, async () => {
      expect(await play(vector, await DatabaseWorld.open(sql, vector, own))).toEqual([]);
    });
  }
});
