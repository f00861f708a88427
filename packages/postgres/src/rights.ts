/**
 * A group role without login, one for each service. A service's pool works under its role (openSql), whatever its login is.
 * Roles belong to the whole cluster, rights to a database.
 */
export type ServiceRole = `perkstream_${string}`;

type Privilege = "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "USAGE";

/** What may be done with a table, as SQL writes it; with a sequence: USAGE. */
export type Privileges =
  | "SELECT"
  | "INSERT"
  | "SELECT, INSERT"
  | "SELECT, UPDATE"
  | "SELECT, DELETE"
  | "SELECT, INSERT, UPDATE"
  | "SELECT, INSERT, DELETE"
  | "SELECT, UPDATE, DELETE"
  | "SELECT, INSERT, UPDATE, DELETE"
  | "USAGE";

/** By the name of the table, without its schema. */
export type TableRights = Readonly<Record<string, Privileges>>;

/**
 * What a package lets roles do, by role and schema: its own schema, and what its service reads of others. A pair of role and
 * schema is declared by one package only; what it does not name, the role may not do.
 */
export type Rights = Readonly<Record<ServiceRole, Readonly<Record<string, TableRights>>>>;

/** A schema, table or sequence of a database with the rights that roles have on it. */
export interface StoredObject {
  readonly kind: "SCHEMA" | "TABLE" | "SEQUENCE";
  readonly schema: string;
  /** Empty for the schema itself. */
  readonly name: string;
  readonly rights: readonly { readonly role: string; readonly privilege: string }[];
}

/** Where drizzle keeps what was applied: a table for each schema. */
export const MIGRATIONS_SCHEMA = "migrations";

/**
 * The statements that make the stored rights those that are declared: exactly, for each pair of role and schema; of schemas and
 * tables that this database does not have, nothing. Each role may also read which migrations of its schemas were applied.
 *
 * @throws Error when two packages declare one pair
 */
export function rightsStatements(declared: readonly Declared[], stored: readonly StoredObject[]): string[] {
  const pairs = pairsOf(declared);
  const roles = [...new Set([...pairs.values()].map(({ role }) => role))].sort();
  return stored.flatMap((object) => roles.flatMap((role) => statementsOf(object, role, pairs)));
}

interface Declared {
  readonly rights?: Rights | undefined;
}

interface Pair {
  readonly role: string;
  readonly schema: string;
  readonly tables: TableRights;
}

const keyOf = (role: string, schema: string): string => `${role} ${schema}`;

function pairsOf(declared: readonly Declared[]): Map<string, Pair> {
  const pairs = new Map<string, Pair>();
  for (const { rights = {} } of declared) {
    for (const [role, schemas] of Object.entries(rights)) {
      for (const [schema, tables] of Object.entries(schemas)) {
        const key = keyOf(role, schema);
        if (pairs.has(key)) throw new Error(`the rights of ${role} on schema ${schema} are declared by two packages`);
        pairs.set(key, { role, schema, tables });
      }
    }
  }
  return pairs;
}

function statementsOf(object: StoredObject, role: string, pairs: ReadonlyMap<string, Pair>): string[] {
  const wanted = wantedOf(object, role, pairs);
  if (wanted === null) return [];
  const held = new Set(object.rights.filter((right) => right.role === role).map(({ privilege }) => privilege));
  const missing = wanted.filter((privilege) => !held.has(privilege));
  const wantedSet = new Set<string>(wanted);
  // What a role may read of the applied migrations is asked for by several packages: nobody takes it away.
  const surplus = object.schema === MIGRATIONS_SCHEMA ? [] : [...held].filter((privilege) => !wantedSet.has(privilege));
  const on = `${object.kind} "${object.schema}"${object.name === "" ? "" : `."${object.name}"`}`;
  return [
    ...(missing.length > 0 ? [`GRANT ${missing.join(", ")} ON ${on} TO "${role}"`] : []),
    ...(surplus.length > 0 ? [`REVOKE ${surplus.join(", ")} ON ${on} FROM "${role}"`] : []),
  ];
}

/** Null when nobody says anything of the role and the object's schema. */
function wantedOf({ kind, schema, name }: StoredObject, role: string, pairs: ReadonlyMap<string, Pair>): readonly Privilege[] | null {
  if (schema === MIGRATIONS_SCHEMA) {
    if (kind === "SCHEMA") return ["USAGE"];
    return kind === "TABLE" && pairs.has(keyOf(role, name)) ? ["SELECT"] : null;
  }
  const pair = pairs.get(keyOf(role, schema));
  if (pair === undefined) return null;
  if (kind === "SCHEMA") return ["USAGE"];
  const text = Object.hasOwn(pair.tables, name) ? pair.tables[name] : undefined;
  return text === undefined ? [] : (text.split(", ") as Privilege[]);
}
