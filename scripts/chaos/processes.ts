import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Processes of this machine as /proc tells of them; elsewhere there are none. */

/** A process and everything below it, parents first. */
export function treeOf(pid: number): number[] {
  const parents = new Map(pids().map((one) => [one, parentOf(one)]));
  const found = [pid];
  for (const one of found) for (const [child, parent] of parents) if (parent === one) found.push(child);
  return found;
}

/** Processes that have a folder as their working directory or its path in their environment, but for this one: what was started for it. */
export function processesOf(folder: string): { readonly pid: number; readonly command: string }[] {
  return pids()
    .filter((pid) => pid !== process.pid && (readLink(pid, "cwd").startsWith(folder) || read(pid, "environ").includes(folder)))
    .map((pid) => ({ pid, command: read(pid, "cmdline").replaceAll("\0", " ").slice(0, 160) }));
}

function pids(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function parentOf(pid: number): number {
  const stat = read(pid, "stat");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

function readLink(pid: number, file: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${file}`);
  } catch {
    return "";
  }
}
