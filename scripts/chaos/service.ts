import { join } from "node:path";
import { Child, type Guard } from "@perkstream/stack";
import { sourceArguments } from "../start/run-services.ts";
import { clockArguments } from "./clock.ts";
import type { InstanceSpec } from "./instances.ts";
import type { Startable } from "./target.ts";

const readyLimitMs = 90_000;
const requestLimitMs = 2_000;
const stopLimitMs = 35_000;

export interface ServiceSettings {
  readonly root: string;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly port: number;
  readonly guard: Guard;
  readonly onEnd: (message: string) => void;
}

/** A process of the product. Every start has a log of its own, so that a crash is not written over. */
export function serviceProcess(spec: InstanceSpec, settings: ServiceSettings): Startable {
  const { root, dataDir, env, port, guard, onEnd } = settings;
  let child: Child | undefined;
  let starts = 0;
  const gone = (ended: Child) => {
    if (child === ended) child = undefined;
  };
  return {
    name: spec.name,
    pid: () => child?.pid,
    async start() {
      starts += 1;
      let hasEnded = false;
      const started: Child = await Child.start({
        name: spec.name,
        command: process.execPath,
        args: [...clockArguments, ...sourceArguments(join(root, "services", spec.service, "src", "main.ts"))],
        cwd: root,
        env,
        logFile: join(dataDir, "logs", `${spec.name}.${starts}.log`),
        pidFile: join(dataDir, "run", `${spec.name}.pid`),
        stopSignal: "TERM",
        guard,
        onCrash: (error) => {
          hasEnded = true;
          gone(started);
          onEnd(error.message);
        },
      });
      child = started;
      try {
        await started.ready(() => isReady(port), readyLimitMs);
      } catch (error) {
        await started.stop(0);
        gone(started);
        throw error;
      }
      if (hasEnded) gone(started);
    },
    async stop() {
      const stopped = child;
      if (stopped === undefined) return;
      await stopped.stop(stopLimitMs);
      gone(stopped);
    },
  };
}

async function isReady(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(requestLimitMs) });
  await response.body?.cancel();
  return response.status === 200;
}
