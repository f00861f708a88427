import { join } from "node:path";
import { Child, openGuard } from "@perkstream/stack";
import { sourceArguments } from "./run-services.ts";
import type { StartSettings } from "./settings.ts";

const stopLimitMs = 5_000;
/** A rhythm that a person can watch: five records a second of thirty customers, so that the busiest hears of one every few seconds. */
const pace = ["--rate", "5", "--customers", "30", "--refunds", "5%", "--duplicates", "1%", "--seconds", String(365 * 86_400)];

/** Starts the simulated orders beside the services; returns what stops them. */
export async function simulate(
  settings: StartSettings,
  env: NodeJS.ProcessEnv,
  onCrash: (error: Error) => void,
): Promise<() => Promise<void>> {
  const guard = openGuard();
  const child = await Child.start({
    name: "The order simulation",
    command: process.execPath,
    args: [...sourceArguments(join(settings.root, "scripts", "simulate.ts")), ...pace],
    cwd: settings.root,
    env,
    logFile: join(settings.dataDir, "logs", "simulate.log"),
    pidFile: join(settings.dataDir, "run", "simulate.pid"),
    stopSignal: "TERM",
    guard,
    onCrash,
  });
  // It has no condition to wait for: from here on an unexpected end is reported.
  await child.ready(async () => true, stopLimitMs);
  return async () => {
    await child.stop(stopLimitMs);
    guard.close();
  };
}
