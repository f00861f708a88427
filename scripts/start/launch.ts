import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { claimFolder, startStack, type Claim, type StackError } from "@perkstream/stack";
import { addressesOf, type Addresses } from "./addresses.ts";
import { createDemo } from "./demo.ts";
import { prepare } from "./prepare.ts";
import { freeServicePorts, serviceEnvironment, startServices } from "./run-services.ts";
import { services } from "./services.ts";
import { readSettings, type StartSettings } from "./settings.ts";

export interface Launched {
  readonly addresses: Addresses;
  readonly settings: StartSettings;
  /** The environment of the services, for scripts that run beside them. */
  readonly env: NodeJS.ProcessEnv;
}

export interface Launch {
  /** Rejects with StackError when something cannot be started; `stop` must be called in any case. */
  readonly ready: Promise<Launched>;
  /** Services in reverse order, then the stack. May be called at any time and again. */
  stop(): Promise<void>;
}

/** A step of the start that is over. */
export type ReportStep = (text: string, durationMs: number) => void;

/**
 * Starts everything in order and remembers how to stop it; the newest first.
 *
 *   folder ─► service ports ─► stack ─► tables, topics, schemas, merchant ─► services ready ─► demo
 */
export function launch(env: NodeJS.ProcessEnv, report: ReportStep, onCrash: (error: StackError) => void): Launch {
  const progress: Progress = { stops: [], isStopping: false };
  const ready = start(env, report, onCrash, progress);
  let stopping: Promise<void> | undefined;
  return {
    ready,
    stop: () => (stopping ??= stopAll(ready, progress)),
  };
}

interface Progress {
  /** What was started, in order. */
  readonly stops: (() => Promise<void>)[];
  claim?: Claim;
  isStopping: boolean;
}

async function start(
  env: NodeJS.ProcessEnv,
  report: ReportStep,
  onCrash: (error: StackError) => void,
  progress: Progress,
): Promise<Launched> {
  const { stops } = progress;
  const settings = await readSettings(env, services);
  await mkdir(join(settings.dataDir, "run"), { recursive: true });
  const claim = await claimFolder(settings.dataDir, join(settings.dataDir, "run", "start.pid"));
  progress.claim = claim;
  stops.push(claim.release);
  await freeServicePorts(services, settings);
  goOn(progress);
  const stack = await startStack({
    dataDir: settings.dataDir,
    env,
    onProgress: (step) => report(`${step.part}: ${step.text}`, step.durationMs),
    onCrash,
  });
  stops.push(stack.stop);
  goOn(progress);
  const prepared = stopwatch(report);
  await prepare(services, settings, stack, prepared);
  goOn(progress);
  const running = await startServices(services, settings, stack, {
    onReady: (name, durationMs) => report(`${name}: ready`, durationMs),
    onCrash,
  });
  stops.push(running.stop);
  goOn(progress);
  const launched = { addresses: addressesOf(settings, stack), settings, env: serviceEnvironment(services, settings, stack) };
  if (settings.isDevelopment) {
    const made = stopwatch(report);
    const folders = services.map(({ name }) => join(settings.root, "services", name));
    await createDemo(launched.addresses.merchantApi, folders);
    made("demo merchant: Bronze, Silver, Gold, Platinum and two campaigns");
  }
  return launched;
}

// A stop during the start waits for the step under way, and no further one begins.
function goOn(progress: Progress): void {
  if (progress.isStopping) throw new Error("stopped during the start");
}

async function stopAll(ready: Promise<Launched>, progress: Progress): Promise<void> {
  progress.isStopping = true;
  await progress.claim?.stopping();
  await ready.catch(() => {});
  for (const stop of progress.stops.toReversed()) await stop();
}

function stopwatch(report: ReportStep): (text: string) => void {
  const startedAt = performance.now();
  return (text) => report(text, performance.now() - startedAt);
}
