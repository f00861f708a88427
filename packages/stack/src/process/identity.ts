import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * What tells a process from a later one with the same id: when it was started. Null when there is no such process.
 * A process id alone is not enough: ids are used again, and ending a stranger's process would be worse than a leftover.
 */
export async function processStart(pid: number): Promise<string | null> {
  if (process.platform === "linux") {
    try {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      // Field 3 is the state (a zombie is gone for our purposes), field 22 the start in clock ticks since boot.
      return fields[0] === "Z" ? null : (fields[19] ?? null);
    } catch {
      return null;
    }
  }
  try {
    const { stdout } = await run("ps", ["-o", "lstart=", "-p", String(pid)]);
    return stdout.trim() === "" ? null : stdout.trim();
  } catch {
    return null;
  }
}

/** The command line of a process, null when it cannot be read. */
export async function processCommand(pid: number): Promise<string | null> {
  try {
    if (process.platform === "linux") return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ");
    return (await run("ps", ["-o", "command=", "-p", String(pid)])).stdout;
  } catch {
    return null;
  }
}
