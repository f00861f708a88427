import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { standing, seconds } from "../instances.ts";

/** pino's number for the level error. */
const errorLevel = 50;

/** A start while a server is away fails, and the supervisor tries again; a stop while Kafka is away may take all of its time. */
const expected = /^(service failed|stop deadline passed)/;

interface LogLine {
  readonly level: number;
  readonly msg?: string;
  readonly err?: { readonly message?: string };
}

/** What processes of the product have logged as an error: nothing that the suite does is a defect of theirs. */
export async function checkLogs(dataDir: string): Promise<string[]> {
  const folder = join(dataDir, "logs");
  const counts = new Map<string, number>();
  for (const file of await readdir(folder)) {
    const [name = ""] = file.split(".");
    if (![...standing, ...seconds].some((instance) => instance.name === name)) continue;
    for (const line of (await readFile(join(folder, file), "utf8")).split("\n")) {
      const error = errorOf(line);
      if (error !== null) counts.set(`${name} logged "${error}"`, (counts.get(`${name} logged "${error}"`) ?? 0) + 1);
    }
  }
  return [...counts].map(([what, count]) => (count === 1 ? what : `${what} ${count} times`));
}

/** The message of a line of level error, else null. Lines that are not JSON are Node's own words before a process ends. */
function errorOf(line: string): string | null {
  if (!line.startsWith("{")) return null;
  try {
    const { level, msg = "", err }: LogLine = JSON.parse(line);
    return level < errorLevel || expected.test(msg) ? null : [msg, err?.message].filter((part) => part !== undefined).join(": ");
  } catch {
    return null; // cut off by a SIGKILL
  }
}

const tailLines = 6;
const tailWidth = 400;

/** The last lines of the last log of each process, for whoever looks for the cause of a violation. */
export async function tailsOfLogs(dataDir: string): Promise<string[]> {
  const folder = join(dataDir, "logs");
  const last = new Map<string, string>();
  for (const file of (await readdir(folder)).sort((a, b) => startOf(a) - startOf(b))) last.set(file.split(".")[0] ?? file, file);
  const tails: string[] = [];
  for (const [name, file] of last) {
    const lines = (await readFile(join(folder, file), "utf8")).trimEnd().split("\n");
    tails.push(...lines.slice(-tailLines).map((line) => `${name}: ${line.slice(0, tailWidth)}`));
  }
  return tails;
}

/** `tier-processor.2.log` is of the second start; a server has one log. */
function startOf(file: string): number {
  return Number(/\.(\d+)\.log$/.exec(file)?.[1] ?? 0);
}
