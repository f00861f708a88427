import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as fc from "fast-check";

export interface FuzzOptions {
  /** Printed with the figures. */
  readonly name: string;
  /** Cases without PERKS_FUZZ_CASES: the slice that every test run goes through. */
  readonly slice: number;
  /** Of PERKS_FUZZ_CASES, the part that this call runs. Default 1. */
  readonly share?: number;
  /** Cases that are under way at once. Default 1. */
  readonly atOnce?: number;
  /** Longer is a hang, ms. Default 5 s: nothing of this takes a second, but the machine may be busy. */
  readonly caseMs?: number;
  /** How much more the heap may hold after the last case than after the first tenth, bytes. Default 64 MB. */
  readonly growthBytes?: number;
}

const MEGABYTE = 1_024 * 1_024;
const DEFAULT_SEED = 20_251_123;
const SHRINK_MS = 30_000;
/** Of a case that hangs. */
const SHOWN_CHARACTERS = 2_000;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/**
 * Runs `check` for many cases, of PERKS_FUZZ_CASES and PERKS_FUZZ_SEED, and prints what it took. Fails on what `check` throws (with
 * the smallest case that does it), on a case that hangs and on a heap that grows.
 */
export async function fuzz<T>(options: FuzzOptions, cases: fc.Arbitrary<T>, check: (one: T) => void | Promise<void>): Promise<void> {
  const { name, slice, share = 1, atOnce = 1, caseMs = 5_000, growthBytes = 64 * MEGABYTE } = options;
  const seed = numberFrom("PERKS_FUZZ_SEED") ?? DEFAULT_SEED;
  const asked = numberFrom("PERKS_FUZZ_CASES");
  const numRuns = Math.ceil((asked === undefined ? slice : asked * share) / atOnce);
  const began = { at: performance.now(), cpu: process.cpuUsage() };
  const before = memory();
  let warm: Memory | undefined;
  let done = 0;
  let slowestMs = 0;
  let hung = false;
  let failedAt = Number.POSITIVE_INFINITY;
  const batches = fc.array(cases, { minLength: atOnce, maxLength: atOnce, size: "max" });
  const timed = async (one: T): Promise<void> => {
    // A smaller case that fails is looked for, but not for long, and not one that hangs.
    if (hung || performance.now() > failedAt + SHRINK_MS) return;
    const startedAt = performance.now();
    const inBound = await inTime(check(one), caseMs);
    const tookMs = performance.now() - startedAt;
    slowestMs = Math.max(slowestMs, tookMs);
    hung = !inBound || tookMs > caseMs;
    if (hung) throw new Error(`no end within ${caseMs} ms: ${fc.stringify(one).slice(0, SHOWN_CHARACTERS)}`);
    done += 1;
  };
  const property = fc.asyncProperty(batches, async (batch) => {
    try {
      await Promise.all(batch.map(timed));
    } catch (error) {
      failedAt = Math.min(failedAt, performance.now());
      throw error;
    }
    if (done >= (numRuns * atOnce) / 10) warm ??= memory();
  });
  try {
    await fc.assert(property, { seed, numRuns });
  } finally {
    const after = memory();
    const seconds = (performance.now() - began.at) / 1_000;
    const cpu = process.cpuUsage(began.cpu);
    const cpuSeconds = (cpu.user + cpu.system) / 1_000_000;
    // oxlint-disable-next-line no-console -- the figures are what a run is for
    console.log(
      `fuzz ${name}: ${done} cases, seed ${seed}, ${seconds.toFixed(1)} s (CPU ${cpuSeconds.toFixed(1)} s), slowest ${Math.round(slowestMs)} ms, ` +
        `heap ${inMegabytes(before.heap, after.heap)} MB, resident ${inMegabytes(before.resident, after.resident)} MB`,
    );
  }
  const grown = memory().heap - (warm ?? before).heap;
  if (grown > growthBytes) throw new Error(`the heap grew by ${Math.round(grown / MEGABYTE)} MB over ${done} cases`);
}

interface Memory {
  readonly heap: number;
  readonly resident: number;
}

function memory(): Memory {
  collectGarbage();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { heap: heapUsed + arrayBuffers, resident: rss };
}

const inMegabytes = (before: number, after: number): string => `${Math.round(before / MEGABYTE)} → ${Math.round(after / MEGABYTE)}`;

/** False when the work has not ended within the bound. */
async function inTime(work: void | Promise<void>, boundMs: number): Promise<boolean> {
  if (work === undefined) return true;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, boundMs, false);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function numberFrom(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${variable} must be a whole number from 1 on, not "${text}"`);
  return value;
}
