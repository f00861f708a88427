import { readdirSync, readFileSync } from "node:fs";

// CPU and memory of processes, from /proc (Linux only; elsewhere all is 0).

const TICKS_PER_SECOND = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

function stats(): Stat[] {
  const found: Stat[] = [];
  for (const name of safely(() => readdirSync("/proc"), [])) {
    if (!/^\d+$/.test(name)) continue;
    const text = safely(() => readFileSync(`/proc/${name}/stat`, "utf8"), "");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    if (fields.length > 15)
      found.push({ pid: Number(name), parent: Number(fields[1]), ticks: [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0) });
  }
  return found;
}

/** CPU seconds so far of a process and everything below it, ended children included. */
export function cpuSecondsOfTree(pid: number): number {
  const all = stats();
  const children = Map.groupBy(all, (stat) => stat.parent);
  const byPid = new Map(all.map((stat) => [stat.pid, stat]));
  const sum = (id: number): number =>
    (byPid.get(id)?.ticks ?? 0) + (children.get(id) ?? []).reduce((total, child) => total + sum(child.pid), 0);
  return sum(pid) / TICKS_PER_SECOND;
}

/** Resident memory of one process, MB: now and the highest so far. */
export function memoryOf(pid: number): { rssMb: number; peakMb: number } {
  const status = safely(() => readFileSync(`/proc/${pid}/status`, "utf8"), "");
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
  return { rssMb: Math.round(kilobytes("VmRSS") / 1_024), peakMb: Math.round(kilobytes("VmHWM") / 1_024) };
}

function safely<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
