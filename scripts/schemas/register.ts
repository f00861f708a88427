import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { checkSubject, formatViolation, type Violation } from "./check.ts";
import { readSchemas } from "./folder.ts";
import { openRegistryApi, type RegistryApi } from "./registry-api.ts";

export const schemasFolder = fileURLToPath(new URL("../../schemas", import.meta.url));

/** Any number that nothing else in this database uses as an advisory lock. */
const lockKey = 7_265_126_310_054n;
const lockWaitSeconds = 60;

export interface RegisterOptions {
  readonly registryUrl: string;
  /** Two registrations at once could both be accepted though they contradict each other: a lock in this database keeps them apart. */
  readonly postgresUrl?: string;
  readonly schemasRoot?: string;
}

export interface RegisteredSubject {
  readonly subject: string;
  readonly id: number;
}

/** A schema breaks FULL_TRANSITIVE; nothing was registered. The message names every field and rule. */
export class IncompatibleSchemaError extends Error {
  override readonly name = "IncompatibleSchemaError";
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[]) {
    super(violations.map(formatViolation).join("\n"));
    this.violations = violations;
  }
}

/**
 * Registers every schema of schemas/ with compatibility FULL_TRANSITIVE; one that is there already stays as it is.
 * All are checked before the first is registered. Throws IncompatibleSchemaError, RegistryApiError on an outage.
 */
export async function registerSchemas({
  registryUrl,
  postgresUrl,
  schemasRoot = schemasFolder,
}: RegisterOptions): Promise<RegisteredSubject[]> {
  const registry = openRegistryApi(registryUrl);
  return postgresUrl === undefined ? registerAll(registry, schemasRoot) : underLock(postgresUrl, () => registerAll(registry, schemasRoot));
}

async function registerAll(registry: RegistryApi, schemasRoot: string): Promise<RegisteredSubject[]> {
  const files = await readSchemas(schemasRoot);
  // Most starts find everything as it should be: then nothing is written.
  const settled = await Promise.all(files.map(({ subject, text }) => registry.settledId(subject, text)));
  const missing = files.filter((_, i) => settled[i] === null);
  const violations = (await Promise.all(missing.map((file) => checkSubject(file, registry)))).flat();
  if (violations.length > 0) throw new IncompatibleSchemaError(violations);
  if (missing.length > 0) await registry.setGlobalLevel();
  const registered: RegisteredSubject[] = [];
  for (const [i, { subject, text }] of files.entries()) {
    registered.push({ subject, id: settled[i] ?? (await registry.register(subject, text)) });
  }
  return registered;
}

async function underLock<T>(postgresUrl: string, work: () => Promise<T>): Promise<T> {
  const sql = postgres(postgresUrl, { max: 1, onnotice: () => {}, connection: { application_name: "perkstream-schemas" } });
  try {
    await sql`SELECT set_config('lock_timeout', ${`${lockWaitSeconds}s`}, false)`;
    await sql`SELECT pg_advisory_lock(${lockKey.toString()}::bigint)`;
    return await work();
  } finally {
    // Ending the session releases the lock.
    await sql.end({ timeout: 5 });
  }
}
