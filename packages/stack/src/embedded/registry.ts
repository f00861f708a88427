import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { StackError } from "../errors.ts";
import { loopback } from "../ports.ts";
import { Child } from "../process/child.ts";
import type { EmbeddedContext } from "./context.ts";
import { createDatabase } from "./postgres.ts";

const readyLimitMs = 180_000;
/** For a server that did not become ready in time. */
const failedStopMs = 10_000;

/** The Confluent API of an Apicurio Registry at `origin`. */
export function registryUrlAt(origin: string): string {
  return `${origin}/apis/ccompat/v7`;
}

/** Starts the registry with its tables in a database of its own beside that of `postgresUrl`. Throws StackError. */
export async function startRegistry(
  context: EmbeddedContext,
  java: string,
  jars: string,
  port: number,
  postgresUrl: string,
): Promise<Child> {
  const runner = (await readdir(jars)).find((name) => name.endsWith("-runner.jar"));
  if (runner === undefined) throw new StackError("download_failed", `The folder ${jars} holds no registry: remove it and start again.`);
  const child = await Child.start({
    name: "The schema registry",
    command: java,
    args: ["-Xmx96m", "-Xms32m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", join(jars, runner)],
    cwd: context.runDir,
    env: { ...context.env, ...settings(port, await registryDatabase(postgresUrl)) },
    logFile: join(context.logDir, "registry.log"),
    pidFile: join(context.runDir, "registry.pid"),
    stopSignal: "TERM",
    guard: context.guard,
    onCrash: context.onCrash,
  });
  await child
    .ready(() => isRegistryReady(registryUrlAt(`http://${loopback}:${port}`)), readyLimitMs)
    .catch(async (error: unknown) => {
      await child.stop(failedStopMs);
      throw error;
    });
  return child;
}

/** Whether the registry answers the Confluent API. */
export async function isRegistryReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(5_000) });
  await response.body?.cancel();
  return response.status === 200;
}

async function registryDatabase(postgresUrl: string): Promise<URL> {
  const url = new URL(postgresUrl);
  const name = `${decodeURIComponent(url.pathname.slice(1))}_registry`;
  try {
    await createDatabase(postgresUrl, name);
  } catch (cause) {
    throw new StackError(
      "unreachable",
      `The schema registry needs a database ${name} on the server of DATABASE_URL, and it could not be made: make it, or set SCHEMA_REGISTRY_URL.`,
      { cause },
    );
  }
  url.pathname = `/${encodeURIComponent(name)}`;
  return url;
}

function settings(port: number, database: URL): NodeJS.ProcessEnv {
  return {
    QUARKUS_HTTP_HOST: loopback,
    QUARKUS_HTTP_PORT: String(port),
    APICURIO_STORAGE_KIND: "sql",
    APICURIO_STORAGE_SQL_KIND: "postgresql",
    APICURIO_DATASOURCE_URL: `jdbc:postgresql://${database.host}${database.pathname}`,
    APICURIO_DATASOURCE_USERNAME: decodeURIComponent(database.username),
    APICURIO_DATASOURCE_PASSWORD: decodeURIComponent(database.password),
    // Its default is 20 connections at start, a tenth of all that the server has.
    APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: "1",
    APICURIO_DATASOURCE_JDBC_MIN_SIZE: "1",
    APICURIO_DATASOURCE_JDBC_MAX_SIZE: "8",
  };
}
