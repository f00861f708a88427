import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { commonEnvironment, parseEnvironment } from "@perkstream/service";
import { portFrom, stackPorts } from "@perkstream/stack";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const loopback = "127.0.0.1";

/** The database to verify and the registry of its schemas. Without settings: the local stack of `npm start`. Throws EnvironmentError. */
export function verifyAddresses(env: NodeJS.ProcessEnv): { readonly databaseUrl: string; readonly registryUrl: string } {
  const settings = parseEnvironment(commonEnvironment.pick({ DATABASE_URL: true, SCHEMA_REGISTRY_URL: true }), {
    ...env,
    DATABASE_URL: given(env["DATABASE_URL"]) ?? localDatabase(env),
    SCHEMA_REGISTRY_URL: given(env["SCHEMA_REGISTRY_URL"]) ?? `http://${loopback}:${portFrom(stackPorts.registry, env)}/apis/ccompat/v7`,
  });
  return { databaseUrl: settings.DATABASE_URL, registryUrl: settings.SCHEMA_REGISTRY_URL };
}

function given(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}

function localDatabase(env: NodeJS.ProcessEnv): string {
  const file = join(resolve(root, given(env["PERKS_DATA_DIR"]) ?? ".perkstream"), "postgres.password");
  const password = existsSync(file) ? readFileSync(file, "utf8").trim() : (env["PERKS_POSTGRES_PASSWORD"] ?? "perkstream");
  return `postgres://perkstream:${encodeURIComponent(password)}@${loopback}:${portFrom(stackPorts.postgres, env)}/perkstream`;
}
