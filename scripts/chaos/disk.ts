import { execFile } from "node:child_process";
import { open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const sizeMb = 1_024;
const chunk = Buffer.alloc(1_024 * 1_024);

/** A file system of its own for a folder, which can be filled up to the last byte. */
export interface Disk {
  fill(): Promise<void>;
  empty(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Moves what is in `folder` to a file system in memory that is mounted there; nobody may use it meanwhile. Only root may mount.
 * @returns null when that is not possible here; then nothing has changed
 */
export async function moveToOwnDisk(folder: string): Promise<Disk | null> {
  const before = `${folder}.before`;
  const { uid, gid } = await stat(folder);
  await rename(folder, before);
  try {
    await run("mkdir", ["-m", "700", folder]);
    await run("mount", ["-t", "tmpfs", "-o", `size=${sizeMb}m,mode=700,uid=${uid},gid=${gid}`, "perkstream-chaos", folder]);
  } catch {
    await rm(folder, { recursive: true, force: true });
    await rename(before, folder);
    return null;
  }
  await run("cp", ["-a", `${before}/.`, folder]);
  await rm(before, { recursive: true });
  const filler = join(folder, "filler");
  return {
    fill: () => fill(filler),
    empty: () => rm(filler, { force: true }),
    close: async () => void (await run("umount", ["-l", folder])),
  };
}

async function fill(file: string): Promise<void> {
  const handle = await open(file, "w");
  try {
    // A write that does not fit whole is cut; the one after it fails.
    for (;;) await handle.write(chunk);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    await handle.close();
  }
}
