import { readFile, rm, writeFile } from "node:fs/promises";
import { waitUntil } from "../wait.ts";
import { processStart } from "./identity.ts";

const leftoverStopMs = 10_000;
const leftoverKillMs = 5_000;

interface Owner {
  readonly pid: number;
  readonly start: string;
}

/** Notes a process as ours, so that a later start can tell it from a stranger's. */
export async function writePidFile(file: string, pid: number): Promise<void> {
  const start = await processStart(pid);
  if (start !== null) await writeFile(file, JSON.stringify({ pid, start } satisfies Owner));
}

/** The noted process if it still runs, else null. */
export async function livingOwner(file: string): Promise<number | null> {
  const owner = await readOwner(file);
  if (owner === null) return null;
  return (await processStart(owner.pid)) === owner.start ? owner.pid : null;
}

/** Ends the noted process if it still runs (first by `signal`, then by SIGKILL) and removes the file; true when there was one to end. */
export async function endLeftover(file: string, signal: NodeJS.Signals): Promise<boolean> {
  const pid = await livingOwner(file);
  if (pid !== null) {
    await endProcess(pid, signal);
  }
  await rm(file, { force: true });
  return pid !== null;
}

/** Ends a process that is not our child: by `signal`, and by SIGKILL when that takes too long. */
export async function endProcess(pid: number, signal: NodeJS.Signals): Promise<void> {
  const start = await processStart(pid);
  const isGone = async () => (await processStart(pid)) !== start;
  sendSignal(pid, signal);
  if (await waitUntil(isGone, leftoverStopMs)) return;
  sendSignal(pid, "SIGKILL");
  await waitUntil(isGone, leftoverKillMs);
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone in between.
  }
}

async function readOwner(file: string): Promise<Owner | null> {
  try {
    const value: unknown = JSON.parse(await readFile(file, "utf8"));
    if (typeof value !== "object" || value === null || !("pid" in value) || !("start" in value)) return null;
    return typeof value.pid === "number" && typeof value.start === "string" ? { pid: value.pid, start: value.start } : null;
  } catch {
    return null;
  }
}
