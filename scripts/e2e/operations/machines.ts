import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePorts, type Stack } from "@perkstream/stack";
import type { Bed } from "../../bed/bed.ts";
import { startServices, type RunningServices } from "../../start/run-services.ts";
import { services } from "../../start/services.ts";

/** A machine of the product: its own instance of each service, with ports and logs of its own. */
export interface Machine {
  portOf(service: string): number;
  /** Resolves when all are ready. */
  start(stack: Stack): Promise<void>;
  /** Asks all to stop at once, and waits. */
  stop(): Promise<void>;
}

/** Their `onCrash` is called when a process ends that nobody asked to; `env` is added to each process's environment. */
export async function makeMachines(
  bed: Bed,
  runs: readonly (readonly string[])[],
  env: () => Readonly<Record<string, string>>,
  onCrash: (message: string) => void,
): Promise<Machine[]> {
  const free = await freePorts(runs.length * services.length);
  return Promise.all(
    runs.map(async (names, n) => {
      const ports = new Map(services.map(({ name }, i) => [name, free[n * services.length + i]!]));
      const dataDir = join(bed.settings.dataDir, `machine-${n + 1}`);
      await mkdir(join(dataDir, "run"), { recursive: true });
      const running: RunningServices[] = [];
      return {
        portOf: (service) => ports.get(service)!,
        async start(stack) {
          const settings = { ...bed.settings, dataDir, ports, env: { ...bed.settings.env, ...env() } };
          const hooks = { onReady: () => {}, onCrash: ({ message }: Error) => onCrash(message) };
          const chosen = services.filter(({ name }) => names.includes(name));
          await Promise.all(chosen.map(async (service) => running.push(await startServices([service], settings, stack, hooks))));
        },
        async stop() {
          await Promise.all(running.splice(0).map((service) => service.stop()));
        },
      } satisfies Machine;
    }),
  );
}
