import postgres from "postgres";
import { schemaStates, type SchemaState } from "./journal.ts";
import { MIGRATIONS_SCHEMA, type Rights, type ServiceRole } from "./rights.ts";
import { applyRights, missingRights } from "./roles.ts";

/** Forward-only SQL files of one schema. `folder` is absolute. */
export interface Migrations {
  readonly schema: string;
  readonly folder: string;
  /** Who may do what with its tables; of other schemas, what this package's service reads. */
  readonly rights?: Rights;
}

/** Any two processes that migrate one database wait for each other on this advisory lock. */
const MIGRATION_LOCK = 7_265_001;

/** A service's login may not migrate, and the database is not what this version needs. */
export class NotMigratedError extends Error {
  constructor(login: string, lacks: readonly string[]) {
    super(
      `The login ${login} may not migrate this database, which lacks ${lacks.join("; ")}. ` +
        "Migrate first, with the login that owns its schemas (npm run database -- migrate).",
    );
    this.name = "NotMigratedError";
  }
}

/**
 * Applies what is missing, one schema after the other, then roles and rights, all under an advisory lock. Safe to run at every
 * start. A login that owns neither the database nor its schemas changes nothing: then all must be there for `role`.
 *
 * @throws NotMigratedError, naming what is missing; RoleMissingError when a role is, and the login may not create it
 */
export async function migrate(url: string, all: readonly Migrations[], role?: ServiceRole): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connection: { application_name: "perkstream-migrate" } });
  try {
    const login = await loginOf(sql, all);
    if (!login.mayMigrate) {
      await requireMigrated(sql, all, login.name, role);
      return;
    }
    await sql`SELECT pg_advisory_lock(${MIGRATION_LOCK})`;
    const states = await schemaStates(sql, all);
    await apply(sql, all, states);
    await applyRights(sql, current(all, states));
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Drizzle is a third of what a service would load at its start: it is only asked for where something is to be applied. */
async function apply(sql: postgres.Sql, all: readonly Migrations[], states: readonly SchemaState[]): Promise<void> {
  const behind = new Set(states.filter(({ missing }) => missing.length > 0).map(({ schema }) => schema));
  if (behind.size === 0) return;
  const [{ drizzle }, { migrate: runMigrations }] = await Promise.all([
    import("drizzle-orm/postgres-js"),
    import("drizzle-orm/postgres-js/migrator"),
  ]);
  for (const { schema, folder } of all) {
    if (!behind.has(schema)) continue;
    await runMigrations(drizzle(sql), { migrationsFolder: folder, migrationsSchema: MIGRATIONS_SCHEMA, migrationsTable: schema });
  }
}

/** What a newer version has migrated has its rights from that version too: an older one that starts beside it leaves them. */
function current(all: readonly Migrations[], states: readonly SchemaState[]): readonly Migrations[] {
  const newer = new Set(states.filter((state) => state.newer).map(({ schema }) => schema));
  return all.filter(({ schema }) => !newer.has(schema));
}

async function loginOf(sql: postgres.Sql, all: readonly Migrations[]): Promise<{ name: string; mayMigrate: boolean }> {
  const schemas = [MIGRATIONS_SCHEMA, ...all.map(({ schema }) => schema)];
  const [row] = await sql<{ name: string; mayMigrate: boolean }[]>`
    SELECT session_user AS name, has_database_privilege(current_database(), 'CREATE') AND NOT EXISTS (
      SELECT FROM pg_namespace WHERE nspname = ANY(${schemas}) AND NOT pg_has_role(nspowner, 'USAGE')) AS "mayMigrate"`;
  if (row === undefined) throw new Error("the database did not answer who the login is");
  return row;
}

async function requireMigrated(sql: postgres.Sql, all: readonly Migrations[], login: string, role?: ServiceRole): Promise<void> {
  if (role !== undefined) await takeRole(sql, login, role);
  const states = await schemaStates(sql, all);
  const lacks = states
    .filter(({ missing }) => missing.length > 0)
    .map(({ schema, missing }) => `migrations of ${schema}: ${missing.join(", ")}`);
  if (lacks.length > 0) throw new NotMigratedError(login, lacks);
  if (role === undefined) return;
  const grants = await missingRights(sql, onlyFor(role, current(all, states)));
  const missing = grants.filter((statement) => statement.startsWith("GRANT"));
  if (missing.length > 0) throw new NotMigratedError(login, [`rights of ${role}: ${missing.join(", ")}`]);
}

/** The login of a service need not inherit what its role may do. */
async function takeRole(sql: postgres.Sql, login: string, role: ServiceRole): Promise<void> {
  const [found] = await sql<{ usable: boolean; reads: boolean }[]>`
    SELECT pg_has_role(current_user, r.oid, 'SET') AS usable, n.oid IS NULL OR has_schema_privilege(r.oid, n.oid, 'USAGE') AS reads
    FROM pg_roles r LEFT JOIN pg_namespace n ON n.nspname = ${MIGRATIONS_SCHEMA} WHERE r.rolname = ${role}`;
  if (found === undefined) throw new NotMigratedError(login, [`role ${role}`]);
  if (!found.usable) throw new Error(`The login ${login} is not a member of its service's role: GRANT ${role} TO ${login};`);
  if (!found.reads) throw new NotMigratedError(login, [`rights of ${role}`]);
  await sql.unsafe(`SET ROLE "${role}"`);
}

function onlyFor(role: ServiceRole, all: readonly Migrations[]): Migrations[] {
  return all.map(({ rights, ...migrations }) => {
    const own = rights?.[role];
    return own === undefined ? migrations : { ...migrations, rights: { [role]: own } };
  });
}
