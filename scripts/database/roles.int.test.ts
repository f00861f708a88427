import { type Migrations, openSql, type ServiceRole, type Sql } from "@perkstream/postgres";
import { testDatabase, type TestDatabase } from "@perkstream/postgres/testing";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { allMigrations } from "./all-migrations.ts";

/* What no service may do. What each may is seen by the tests of the services, whose pools have their roles. */

const tier: ServiceRole = "perkstream_tier";
const cashback: ServiceRole = "perkstream_cashback";
const stamps: ServiceRole = "perkstream_stamps";
const api: ServiceRole = "perkstream_api";
const notifier: ServiceRole = "perkstream_notifier";
const roles: readonly ServiceRole[] = [tier, cashback, stamps, api, notifier];

let all: Migrations[];
let database: TestDatabase;
let owner: Sql;
const pools = new Map<ServiceRole, Sql>();

beforeAll(async () => {
  all = await allMigrations();
  database = await testDatabase(inject("stack").postgresUrl, all);
  owner = openSql(database.url, { max: 1, applicationName: "roles-test" });
  for (const role of roles) pools.set(role, openSql(database.url, { max: 1, applicationName: "roles-test", role }));
});

afterAll(async () => {
  await Promise.all([owner, ...pools.values()].map((pool) => pool?.end()));
  await database?.drop();
});

/** The SQLSTATE of a statement, null when it is done. What it did is rolled back. */
async function outcome(role: ServiceRole, statement: string): Promise<string | null> {
  const undone = new Error("undone");
  try {
    await pools.get(role)!.begin(async (tx) => {
      await tx.unsafe(statement);
      throw undone;
    });
  } catch (error) {
    if (error !== undone) return (error as { code?: string }).code ?? String(error);
  }
  return null;
}

const INSUFFICIENT_PRIVILEGE = "42501";

/** Every statement under every role; what was not refused is what the test shows. */
async function allowedOf(statements: readonly string[], of: readonly ServiceRole[] = roles): Promise<string[]> {
  const allowed: string[] = [];
  for (const role of of) {
    for (const statement of statements) {
      const code = await outcome(role, statement);
      if (code !== INSUFFICIENT_PRIVILEGE) allowed.push(`${role}: ${statement} (${code ?? "done"})`);
    }
  }
  return allowed;
}

const changesOf = (table: string, column: string) => [
  `UPDATE ${table} SET ${column} = ${column}`,
  `DELETE FROM ${table}`,
  `TRUNCATE ${table}`,
  `MERGE INTO ${table} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE`,
  `ALTER TABLE ${table} DISABLE TRIGGER ALL`,
  `DROP TABLE ${table}`,
];

it("every role that a package declares is looked at", () => {
  expect([...new Set(all.flatMap(({ rights = {} }) => Object.keys(rights)))].sort()).toEqual([...roles].sort());
});

describe("what stays as it was written", () => {
  const tables = [
    ["cashback.transfer", "amount"],
    ["cashback.seal", "hash"],
    ["cashback.refund", "amounts"],
    ["cashback.campaign_version", "definition"],
    ["cashback.applied", "detail"],
    ["tier.history", "to_level"],
    ["tier.refund", "amounts"],
    ["tier.ladder_version", "levels"],
    ["tier.applied", "detail"],
    ["stamps.refund", "amounts"],
    ["stamps.card_version", "name"],
    ["stamps.applied", "detail"],
    ["merchant.setting", "currency"],
    ["merchant.audit", "action"],
  ] as const;
  for (const [table, column] of tables) {
    it(`${table}: no role changes, deletes or truncates`, async () => {
      expect(await allowedOf(changesOf(table, column))).toEqual([]);
    });
  }

  it("the ledger is still added to, and read", async () => {
    for (const role of [cashback, api]) {
      expect(await outcome(role, "INSERT INTO cashback.transfer SELECT * FROM cashback.transfer")).toBeNull();
      expect(await outcome(role, "INSERT INTO cashback.seal SELECT * FROM cashback.seal")).toBeNull();
    }
  });
});

describe("what is another's", () => {
  /** Every table of a schema, with the least that can be asked of it. */
  async function tablesOf(schema: string): Promise<string[]> {
    const rows = await owner<{ name: string }[]>`
      SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ${schema} AND c.relkind = 'r'`;
    expect(rows.length).toBeGreaterThan(0);
    return rows.map(({ name }) => name);
  }
  const reads = (tables: readonly string[]) => tables.map((table) => `SELECT 1 FROM ${table} LIMIT 1`);
  const writes = (tables: readonly string[]) =>
    tables.flatMap((table) => [`INSERT INTO ${table} DEFAULT VALUES`, `DELETE FROM ${table}`, `TRUNCATE ${table}`]);

  it("a program neither reads nor writes the others', the inbox and the notifier's", async () => {
    const programs = { tier, cashback, stamps };
    for (const [name, role] of Object.entries(programs)) {
      for (const schema of [...Object.keys(programs), "inbox", "notifier"]) {
        if (schema === name || (name === "cashback" && schema === "tier")) continue;
        const tables = await tablesOf(schema);
        expect(await allowedOf([...reads(tables), ...writes(tables)], [role])).toEqual([]);
      }
    }
  });

  it("cashback reads of tier what the offset join needs, and writes nothing there", async () => {
    const tables = await tablesOf("tier");
    expect(await allowedOf(writes(tables), [cashback])).toEqual([]);
    expect(await allowedOf(["UPDATE tier.account SET level = level", "SELECT 1 FROM tier.progress FOR UPDATE"], [cashback])).toEqual([]);
    const read = ["account", "dead_letter", "history", "ladder_version", '"order"', "progress"].map((table) => `tier.${table}`);
    expect(await allowedOf(reads(tables.filter((table) => !read.includes(table))), [cashback])).toEqual([]);
    for (const statement of reads(read)) expect(await outcome(cashback, statement)).toBeNull();
  });

  it("the notifier reads and writes neither programs nor merchants", async () => {
    for (const schema of ["tier", "cashback", "stamps", "merchant"]) {
      const tables = await tablesOf(schema);
      expect(await allowedOf([...reads(tables), ...writes(tables)], [notifier])).toEqual([]);
    }
  });

  it("programs read of merchants only the merchants and their settings, and write nothing", async () => {
    const tables = await tablesOf("merchant");
    const known = ["merchant.merchant", "merchant.setting"];
    for (const role of [tier, cashback, stamps]) {
      expect(await allowedOf([...writes(tables), ...reads(tables.filter((table) => !known.includes(table)))], [role])).toEqual([]);
      for (const statement of reads(known)) expect(await outcome(role, statement)).toBeNull();
    }
  });

  it("the API stays out of the notifier's schema and of what was stored for customers", async () => {
    const tables = await tablesOf("notifier");
    const stored = ["DELETE FROM inbox.notification", "INSERT INTO inbox.notification DEFAULT VALUES", "UPDATE inbox.trim SET off = 0"];
    expect(await allowedOf([...reads(tables), ...writes(tables), ...stored], [api])).toEqual([]);
  });

  it("nobody makes anything, and nobody says what was migrated", async () => {
    const made = ["CREATE SCHEMA own", "CREATE TABLE public.own ()", "CREATE TABLE tier.own ()", "CREATE TABLE inbox.own ()"];
    const told = ["DELETE FROM migrations.tier", "INSERT INTO migrations.cashback (hash) VALUES ('')", "DELETE FROM migrations.inbox"];
    expect(await allowedOf([...made, ...told])).toEqual([]);
  });
});
