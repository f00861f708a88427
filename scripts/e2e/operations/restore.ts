import { execFile } from "node:child_process";
import { appendFile, copyFile, cp, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { openSql } from "@perkstream/postgres";
import { freePorts, startStack, waitUntil, type Stack } from "@perkstream/stack";

/* docs/operations.md, "Backup and point-in-time restore", without pg_basebackup, which the embedded PostgreSQL does not bring. */

const run = promisify(execFile);
const RECOVERY_LIMIT_MS = 60_000;

/** Files that a base backup leaves out: the log is kept by itself, and the rest belongs to the server that runs. */
const LEFT_OUT = new Set(["pg_wal", "pg_replslot", "pg_notify", "pg_stat_tmp", "pg_subtrans", "pg_dynshmem", "pg_serial", "pg_snapshots"]);

function belongsToBackup(path: string): boolean {
  const name = basename(path);
  return !LEFT_OUT.has(basename(dirname(path))) && !name.startsWith("postmaster.") && !name.startsWith("pg_internal.init");
}

/** Copies the data folder of a server that works, and has it keep its write-ahead log from then on. */
export async function takeBaseBackup(postgresUrl: string, stackDir: string, backup: string): Promise<void> {
  // One connection: a backup belongs to the session that began it.
  const session = openSql(postgresUrl, { max: 1, applicationName: "backup" });
  try {
    await session`SELECT pg_create_physical_replication_slot('backup', true)`;
    await session`SELECT pg_backup_start('base', true)`;
    await cp(join(stackDir, "postgres"), backup, { recursive: true, filter: belongsToBackup });
    const [end] = await session<{ labelfile: string }[]>`SELECT labelfile FROM pg_backup_stop(false)`;
    await writeFile(join(backup, "backup_label"), end!.labelfile);
  } finally {
    await session.end();
  }
}

/** What archive_command would have put away: every file of the log, the current one closed before. */
export async function archiveLog(postgresUrl: string, stackDir: string, archive: string): Promise<void> {
  const sql = openSql(postgresUrl, { max: 1, applicationName: "backup" });
  await sql`SELECT pg_switch_wal()`;
  await sql.end();
  await mkdir(archive, { recursive: true });
  const log = join(stackDir, "postgres", "pg_wal");
  for (const name of await readdir(log)) {
    if (/^[0-9A-F]{24}$/.test(name)) await copyFile(join(log, name), join(archive, name));
  }
}

export interface Restore {
  readonly backup: string;
  readonly archive: string;
  /** Everything that was committed until then is restored. */
  readonly until: Date;
  /** Where the lost server's files are: its password goes with the data. */
  readonly stackDir: string;
  /** Of the new server. */
  readonly restoredDir: string;
}

/** Starts a server on the backup and has it replay the archive; resolves when it takes writes. Kafka and registry stay as they are. */
export async function restore(stack: Stack, { backup, archive, until, stackDir, restoredDir }: Restore): Promise<Stack> {
  const data = join(restoredDir, "postgres");
  await mkdir(restoredDir, { recursive: true });
  await cp(backup, data, { recursive: true });
  await copyFile(join(stackDir, "postgres.password"), join(restoredDir, "postgres.password"));
  await writeFile(join(restoredDir, "postgres.initialised"), "");
  await writeFile(join(data, "recovery.signal"), "");
  await appendFile(
    join(data, "postgresql.auto.conf"),
    `restore_command = 'cp "${archive}/%f" "%p"'\nrecovery_target_time = '${until.toISOString().replace("Z", "+00")}'\nrecovery_target_action = 'promote'\n`,
  );
  // The server runs as the user that owned the lost one's files.
  const { uid, gid } = await stat(join(stackDir, "postgres", "PG_VERSION"));
  await run("chown", ["-R", `${uid}:${gid}`, data, archive]);

  const [postgres = 0] = await freePorts(1);
  const env = { ...process.env, DATABASE_URL: "", KAFKA_BROKERS: stack.kafkaBrokers, SCHEMA_REGISTRY_URL: stack.registryUrl };
  const restored = await startStack({ dataDir: restoredDir, env, ports: { postgres } });
  const sql = openSql(restored.postgresUrl, { max: 1, applicationName: "restore" });
  const isPromoted = async () => {
    const [row] = await sql<{ recovers: boolean }[]>`SELECT pg_is_in_recovery() AS recovers`;
    return !row!.recovers;
  };
  const promoted = await waitUntil(isPromoted, RECOVERY_LIMIT_MS);
  await sql.end();
  if (!promoted) throw new Error(`the server still replays after ${RECOVERY_LIMIT_MS} ms`);
  return restored;
}
