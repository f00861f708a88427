import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { openSql, type Sql } from "./connect.ts";
import { migrate } from "./migrate.ts";
import type { Rights, ServiceRole } from "./rights.ts";
import { testDatabase, type TestDatabase } from "./testing/database.ts";
import { migrationsFolder, type MigrationsFolder } from "./testing/folder.ts";

/* Roles belong to the cluster, which other test files share: these have names of their own, and go at the end. */

const suffix = randomBytes(4).toString("hex");
const role: ServiceRole = `perkstream_clerk_${suffix}`;
const other: ServiceRole = `perkstream_other_${suffix}`;
const logins = { owner: `owner_${suffix}`, clerk: `clerk_${suffix}`, stranger: `stranger_${suffix}` };

let admin: Sql;
let folder: MigrationsFolder;
let databases: TestDatabase[] = [];
let database: TestDatabase;

const rights = (...tables: [table: string, privileges: "SELECT" | "SELECT, INSERT" | "SELECT, INSERT, UPDATE"][]): Rights => ({
  [role]: { shop: Object.fromEntries(tables) },
});
const asLogin = (name: string, url = database.url) => {
  const changed = new URL(url);
  Object.assign(changed, { username: name, password: name });
  return changed.href;
};

beforeAll(async () => {
  admin = openSql(inject("stack").postgresUrl, { max: 1, applicationName: "migrate-test" });
  folder = await migrationsFolder("shop", [
    "CREATE SCHEMA shop;--> statement-breakpoint\nCREATE TABLE shop.sale (id int8 PRIMARY KEY, amount int8)",
    "CREATE TABLE shop.note (text text)",
  ]);
  await admin.unsafe(`CREATE ROLE ${logins.owner} LOGIN PASSWORD '${logins.owner}' CREATEROLE`);
  for (const login of [logins.clerk, logins.stranger]) await admin.unsafe(`CREATE ROLE ${login} LOGIN PASSWORD '${login}' NOINHERIT`);
});

beforeEach(async () => {
  database = await another();
});

afterAll(async () => {
  for (const made of databases) await made.drop();
  await admin.unsafe(`DROP ROLE IF EXISTS ${[role, other, ...Object.values(logins)].join(", ")}`);
  await admin.end();
  await folder.remove();
});

async function another(): Promise<TestDatabase> {
  const made = await testDatabase(inject("stack").postgresUrl, []);
  databases = [...databases, made];
  return made;
}

/** Runs statements one after the other in a pool of their own. */
async function run(url: string, as: ServiceRole | null, ...statements: string[]): Promise<void> {
  const sql = openSql(url, { max: 1, applicationName: "migrate-test", ...(as === null ? {} : { role: as }) });
  try {
    for (const statement of statements) await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}

const refused = { code: "42501" };

describe("roles and rights", () => {
  it("a role that another database's migration is just making is taken as it is", async () => {
    const raced: ServiceRole = `perkstream_raced_${suffix}`;
    const waits = async () =>
      (await admin`SELECT FROM pg_stat_activity WHERE datname = ${nameOf(database.url)} AND wait_event_type = 'Lock'`).length;
    const maker = openSql(inject("stack").postgresUrl, { max: 1, applicationName: "migrate-test" });
    let migrated: Promise<void> | undefined;
    await maker.begin(async (tx) => {
      await tx.unsafe("SET LOCAL idle_in_transaction_session_timeout = 0");
      await tx.unsafe(`CREATE ROLE ${raced}`);
      migrated = migrate(database.url, [folder.upTo(1, { [raced]: { shop: { sale: "SELECT" } } })]);
      migrated.catch(() => {});
      await expect.poll(waits).toBe(1);
    });
    await migrated;
    await run(database.url, raced, "SELECT * FROM shop.sale");
    await run(database.url, null, `DROP OWNED BY ${raced}`, `DROP ROLE ${raced}`);
    await maker.end();
  });

  it("are made by databases of one cluster at the same time", async () => {
    const migrations = folder.upTo(2, { ...rights(["sale", "SELECT, INSERT"]), [other]: { shop: { note: "SELECT" } } });
    const made = await Promise.all(Array.from({ length: 6 }, another));
    await Promise.all(made.flatMap(({ url }) => [migrate(url, [migrations]), migrate(url, [migrations])]));
    for (const { url } of made) {
      await run(url, role, "INSERT INTO shop.sale VALUES (1, 2)", "SELECT * FROM shop.sale");
      await expect(run(url, role, "UPDATE shop.sale SET amount = 3")).rejects.toMatchObject(refused);
      await expect(run(url, role, "SELECT * FROM shop.note")).rejects.toMatchObject(refused);
      await run(url, other, "SELECT * FROM shop.note");
      await expect(run(url, other, "SELECT * FROM shop.sale")).rejects.toMatchObject(refused);
    }
  });

  it("follow what is declared, in both directions", async () => {
    await migrate(database.url, [folder.upTo(2, rights(["sale", "SELECT, INSERT, UPDATE"], ["note", "SELECT"]))]);
    await run(database.url, role, "UPDATE shop.sale SET amount = 3", "SELECT * FROM shop.note");
    await migrate(database.url, [folder.upTo(2, rights(["sale", "SELECT, INSERT"]))]);
    await run(database.url, role, "INSERT INTO shop.sale VALUES (1, 2)");
    await expect(run(database.url, role, "UPDATE shop.sale SET amount = 3")).rejects.toMatchObject(refused);
    await expect(run(database.url, role, "SELECT * FROM shop.note")).rejects.toMatchObject(refused);
  });

  it("of a newer version stay when an older one starts beside it", async () => {
    await migrate(database.url, [folder.upTo(2, rights(["sale", "SELECT, INSERT"], ["note", "SELECT"]))]);
    await migrate(database.url, [folder.upTo(1, rights(["sale", "SELECT"]))]);
    await run(database.url, role, "INSERT INTO shop.sale VALUES (1, 2)", "SELECT * FROM shop.note");
  });
});

describe("logins", () => {
  it("an owner that is no superuser migrates, and can be the service too", async () => {
    await admin.unsafe(`ALTER DATABASE ${nameOf(database.url)} OWNER TO ${logins.owner}`);
    const owned: ServiceRole = `perkstream_owned_${suffix}`;
    await migrate(asLogin(logins.owner), [folder.upTo(1, { [owned]: { shop: { sale: "SELECT" } } })], owned);
    try {
      await run(asLogin(logins.owner), owned, "SELECT * FROM shop.sale");
      await expect(run(asLogin(logins.owner), owned, "DELETE FROM shop.sale")).rejects.toMatchObject(refused);
    } finally {
      await run(database.url, null, `DROP OWNED BY ${owned}`, `DROP ROLE ${owned}`, `REASSIGN OWNED BY ${logins.owner} TO CURRENT_USER`);
    }
  });

  it("a service's login does nothing but to tell what is missing", async () => {
    const first = folder.upTo(1, rights(["sale", "SELECT, INSERT"]));
    const both = folder.upTo(2, rights(["sale", "SELECT, INSERT"], ["note", "SELECT"]));
    const start = (migrations = both) => migrate(asLogin(logins.clerk), [migrations], role);
    await migrate((await another()).url, [first]);
    await admin.unsafe(`GRANT ${role} TO ${logins.clerk}`);
    await expect(start()).rejects.toThrow(
      `The login ${logins.clerk} may not migrate this database, which lacks migrations of shop: 0000_step, 0001_step.`,
    );
    await migrate(database.url, [first]);
    await start(first);
    await expect(start()).rejects.toThrow("lacks migrations of shop: 0001_step.");
    await migrate(database.url, [folder.upTo(2, rights(["sale", "SELECT"]))]);
    await expect(start()).rejects.toThrow(
      /lacks rights of \w+: GRANT SELECT ON TABLE "shop"."note" .*, GRANT INSERT ON TABLE "shop"."sale"/,
    );
    await migrate(database.url, [both]);
    await start();
    await run(asLogin(logins.clerk), role, "INSERT INTO shop.sale VALUES (1, 2)");
    for (const beyond of ["CREATE TABLE shop.own ()", `SET ROLE ${other}`, `SET ROLE ${logins.owner}`])
      await expect(run(asLogin(logins.clerk), role, beyond)).rejects.toMatchObject(refused);
  });

  it("a login that is not a member of the role is told so", async () => {
    await migrate(database.url, [folder.upTo(1, rights(["sale", "SELECT"]))]);
    await expect(migrate(asLogin(logins.stranger), [folder.upTo(1)], role)).rejects.toThrow(`GRANT ${role} TO ${logins.stranger}`);
    await expect(migrate(asLogin(logins.stranger), [folder.upTo(1)], "perkstream_nobody")).rejects.toThrow("lacks role perkstream_nobody");
    await expect(run(asLogin(logins.stranger), role, "SELECT 1")).rejects.toThrow("permission denied to set role");
  });
});

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}
