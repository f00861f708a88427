import { memoryOf } from "../bench/processes.ts";
import { seconds, standing } from "./instances.ts";
import type { Rig } from "./rig.ts";

const everyMs = 2_000;
/** A process has its caches and its code warm by then. */
const warmAfterMs = 30_000;
const mostMb = 600;
const growthMb = 200;

/** Watches what the product's processes hold. */
export interface MemoryWatch {
  /** What grew beyond its bound; ends the watch. */
  stop(): string[];
  /** The highest of each process, MB. */
  readonly peaks: ReadonlyMap<string, number>;
}

export function watchMemory(rig: Rig): MemoryWatch {
  const peaks = new Map<string, number>();
  /** By process id: when it was first seen, and what it held once it was warm. */
  const known = new Map<number, { readonly name: string; readonly since: number; warmMb: number | null; lastMb: number }>();
  const look = () => {
    for (const { name } of [...standing, ...seconds]) {
      const pid = rig.target(name).pid();
      if (pid === undefined) continue;
      const { rssMb } = memoryOf(pid);
      peaks.set(name, Math.max(peaks.get(name) ?? 0, rssMb));
      const one = known.get(pid) ?? { name, since: performance.now(), warmMb: null, lastMb: rssMb };
      if (one.warmMb === null && performance.now() - one.since > warmAfterMs) one.warmMb = rssMb;
      known.set(pid, { ...one, lastMb: rssMb });
    }
  };
  const timer = setInterval(look, everyMs);
  return {
    peaks,
    stop() {
      clearInterval(timer);
      look();
      return [
        ...[...peaks].filter(([, mb]) => mb > mostMb).map(([name, mb]) => `${name} held ${mb} MB, more than ${mostMb} MB`),
        ...[...known.values()]
          .filter(({ warmMb, lastMb }) => warmMb !== null && lastMb > warmMb + growthMb)
          .map(({ name, warmMb, lastMb }) => `${name} grew from ${warmMb} MB to ${lastMb} MB`),
      ];
    },
  };
}
