import { access, rename, rm, stat, writeFile } from "node:fs/promises";
import { StackError } from "../errors.ts";
import { waitUntil } from "../wait.ts";
import { processStart } from "./identity.ts";
import { livingOwner } from "./pid-file.ts";

/** How long an owner that said that it stops may take; longer than its own deadlines together. */
const stoppingLimitMs = 60_000;
/** A stop may be under way and not yet noted: npm, for one, returns before what it ran has ended. */
const noticeLimitMs = 2_000;

/** How long a new lock file may take to be written. */
const unwrittenLimitMs = 5_000;

/** A folder that this process alone may use. */
export interface Claim {
  /** Tells a process that wants the folder next to wait for the release. */
  stopping(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes a folder for this process by a lock file; waits for an owner that is stopping, takes over from one that has died.
 * Throws `already_running`.
 */
export async function claimFolder(folder: string, lockFile: string): Promise<Claim> {
  const stoppingFile = `${lockFile}.stopping`;
  const isStopping = () =>
    access(stoppingFile).then(
      () => true,
      () => false,
    );
  const isClaimed =
    (await waitUntil(() => takeLock(lockFile), noticeLimitMs)) ||
    ((await isStopping()) && (await waitUntil(() => takeLock(lockFile), stoppingLimitMs)));
  if (!isClaimed) {
    const pid = await livingOwner(lockFile);
    throw new StackError(
      "already_running",
      `Perkstream already runs on ${folder} (process ${pid ?? "unknown"}): stop it, or set PERKS_DATA_DIR to another folder.`,
    );
  }
  await rm(stoppingFile, { force: true });
  return {
    stopping: () => writeFile(stoppingFile, ""),
    release: async () => {
      await rm(stoppingFile, { force: true });
      await rm(lockFile, { force: true });
    },
  };
}

/** Runs `work` while no other process of this machine holds the lock file; a lock whose holder has died is taken over. */
export async function withLock<T>(file: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  if (!(await waitUntil(() => takeLock(file), timeoutMs))) {
    throw new StackError("not_ready", `Another process holds ${file} for more than ${timeoutMs / 1_000} s: end it, or remove the file.`);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function takeLock(file: string): Promise<boolean> {
  if (await makeLock(file)) return true;
  if (!(await isAbandoned(file))) return false;
  // Aside first: of two that find it abandoned, the slower must not remove the lock of the quicker.
  const aside = `${file}.${process.pid}`;
  await rename(file, aside).catch(() => {});
  if (!(await isAbandoned(aside))) {
    await rename(aside, file);
    return false;
  }
  await rm(aside, { force: true });
  return makeLock(file);
}

async function makeLock(file: string): Promise<boolean> {
  const owner = JSON.stringify({ pid: process.pid, start: await processStart(process.pid) });
  return writeFile(file, owner, { flag: "wx" }).then(
    () => true,
    () => false,
  );
}

/** A file that was made just now is not written yet. */
async function isAbandoned(file: string): Promise<boolean> {
  if ((await livingOwner(file)) !== null) return false;
  const made = await stat(file).catch(() => null);
  return made === null || made.size > 0 || Date.now() - made.mtimeMs > unwrittenLimitMs;
}
