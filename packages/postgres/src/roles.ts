import type postgres from "postgres";
import { MIGRATIONS_SCHEMA, rightsStatements, type Rights, type ServiceRole, type StoredObject } from "./rights.ts";

interface Declared {
  readonly rights?: Rights | undefined;
}

const DUPLICATE_OBJECT = "42710";
const UNIQUE_VIOLATION = "23505";
const INSUFFICIENT_PRIVILEGE = "42501";

/** The login may not create a role that is missing. */
class RoleMissingError extends Error {
  constructor(role: string) {
    super(`role ${role} does not exist and this login may not create it: CREATE ROLE ${role} NOLOGIN;`);
    this.name = "RoleMissingError";
  }
}

/** Makes the roles that are missing, and the stored rights those that are declared; writes nothing when all is so already. */
export async function applyRights(sql: postgres.Sql, declared: readonly Declared[]): Promise<void> {
  for (const role of rolesOf(declared)) await ensureRole(sql, role);
  const statements = await missingRights(sql, declared);
  if (statements.length > 0) await sql.begin((tx) => tx.unsafe(statements.join(";\n")));
}

/** What `applyRights` would say; the roles exist. */
export async function missingRights(sql: postgres.Sql, declared: readonly Declared[]): Promise<string[]> {
  const schemas = new Set(declared.flatMap(({ rights = {} }) => Object.values(rights).flatMap((bySchema) => Object.keys(bySchema))));
  return rightsStatements(declared, await storedObjects(sql, [...schemas, MIGRATIONS_SCHEMA]));
}

function rolesOf(declared: readonly Declared[]): ServiceRole[] {
  return [...new Set(declared.flatMap(({ rights = {} }) => Object.keys(rights) as ServiceRole[]))].sort();
}

/** The schemas and all that is in them, in the order of their names. */
async function storedObjects(sql: postgres.Sql, schemas: readonly string[]): Promise<StoredObject[]> {
  return sql<StoredObject[]>`
    WITH object AS (
      SELECT 'SCHEMA' AS kind, nspname AS schema, '' AS name, nspacl AS acl FROM pg_namespace WHERE nspname = ANY(${schemas})
      UNION ALL
      SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname, c.relacl
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY(${schemas}) AND c.relkind IN ('r', 'p', 'v', 'm', 'S'))
    SELECT kind, schema, name,
      (SELECT coalesce(json_agg(json_build_object('role', r.rolname, 'privilege', a.privilege_type)), '[]')
       FROM aclexplode(acl) a JOIN pg_roles r ON r.oid = a.grantee) AS rights
    FROM object ORDER BY schema, name, kind`;
}

/**
 * Roles are shared by all databases of the cluster, and the migration lock is not: another database's migration may make the
 * same role at the same moment. A login that is no superuser becomes a member, so that pools with its URL can take the role on.
 */
async function ensureRole(sql: postgres.Sql, role: ServiceRole): Promise<void> {
  const find = async () => {
    const rows = await sql<
      { usable: boolean }[]
    >`SELECT pg_has_role(current_user, oid, 'SET') AS usable FROM pg_roles WHERE rolname = ${role}`;
    return rows[0];
  };
  if ((await find()) === undefined) {
    const failure = await codeOf(sql.unsafe(`CREATE ROLE "${role}" NOLOGIN`));
    if (failure === INSUFFICIENT_PRIVILEGE) throw new RoleMissingError(role);
  }
  if ((await find())?.usable === true) return;
  // Without the right to do so the login can still migrate: it only cannot be that service.
  await codeOf(sql.unsafe(`GRANT "${role}" TO CURRENT_USER WITH INHERIT FALSE, SET TRUE`));
}

/** Runs a statement; the SQLSTATE of what somebody else did first or what is not allowed, null when it was done. */
async function codeOf(statement: PromiseLike<unknown>): Promise<string | null> {
  try {
    await statement;
    return null;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if ([DUPLICATE_OBJECT, UNIQUE_VIOLATION, INSUFFICIENT_PRIVILEGE].includes(code)) return code;
    throw error;
  }
}
