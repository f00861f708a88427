import type { Subject, View } from "./compare.ts";
import { randomFrom } from "./random.ts";
import type { Step } from "./types.ts";

type EventStep = Extract<Step, { readonly event: object } | { readonly raw: string }>;

/** What can take several events at once, in chunks, and begin anew in between. */
export interface SplitSubject {
  events(steps: readonly EventStep[], chunkSize: number): Promise<void>;
  restart(): Promise<void>;
  /** Anything that is not an event. */
  apply(step: Step): Promise<void>;
  look(): Promise<View>;
}

/** Collects the events of a story and feeds them in chunks of any size, with restarts in between; where it cuts comes from the seed. */
export function splitAtRandom(subject: SplitSubject, seed: number): Subject {
  const random = randomFrom(seed ^ 0x5bd1e995);
  const mostly = random.pick([1, 3, 10, 100]);
  const waiting: EventStep[] = [];
  const flush = async () => {
    if (waiting.length > 0) await subject.events(waiting.splice(0), random.whole(1, mostly));
    if (random.chance(0.1)) await subject.restart();
  };
  return {
    async apply(step) {
      if ("event" in step || "raw" in step) return void waiting.push(step);
      await flush();
      await subject.apply(step);
    },
    async look() {
      await flush();
      return subject.look();
    },
  };
}
